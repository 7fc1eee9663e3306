"""The faults that a box, its broker and central's ingest must survive, each with its tests.

The numbers are those of the list that the project was begun with; 15 to 19 are the devices'
(``tests/agent/drivers``, ``tests/labels``, ``tests/hil``), 24 and 25 updates and central's own.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    """What happens, and which tests, by file and name, show what must come of it."""

    what: str
    tests: tuple[str, ...]


_F = "tests/faults/"
_Q = "tests/agent/offline_queue/"
_I = "tests/central/ingest/"

FAULTS: Mapping[int, Fault] = {
    1: Fault(
        "kill -9 at every edge",
        (
            f"{_F}test_killed.py::test_the_box_is_killed",
            f"{_F}test_killed.py::test_central_is_killed",
            f"{_F}test_prints.py::test_a_label_cut_short_ends_truthfully",
            f"{_F}test_settings.py::test_the_box_is_killed_while_it_takes_settings",
            f"{_F}test_random_kills.py::test_fault_01_killed_at_random",
            f"{_F}test_edge_table.py::test_fault_01_every_edge_is_killed_at",
            f"{_Q}test_crash.py::test_a_killed_box_has_kept_every_promise",
        ),
    ),
    2: Fault(
        "a power cut at every flush",
        (
            "tests/power/test_power_cuts.py::test_fault_02_nothing_said_is_lost_by_a_power_cut",
            "tests/power/test_power_cuts.py::test_a_queue_that_syncs_less_is_seen_to_lose",
            "tests/hil/test_4_power_cut.py::test_nothing_heard_is_lost_and_nothing_prints_by_itself",
        ),
    ),
    3: Fault(
        "a damaged queue file",
        (
            f"{_F}test_damage.py::test_a_file_spoiled_at_rest",
            f"{_F}test_old_databases.py::test_killed_while_a_damaged_file_is_dealt_with",
            f"{_Q}test_damage.py::test_noise_in_the_file",
            f"{_Q}test_damage.py::test_noise_in_the_log",
            f"{_Q}test_damage.py::test_a_log_cut_short",
            f"{_Q}test_damage.py::test_a_file_spoiled_at_work",
        ),
    ),
    4: Fault(
        "disk full, read-only, failing",
        (
            f"{_F}test_disk.py::test_fault_04_the_disk_is_full",
            f"{_Q}test_real_disk.py::test_a_full_disk",
            f"{_Q}test_real_disk.py::test_a_disk_without_a_file_left",
            f"{_Q}test_real_disk.py::test_a_disk_that_is_read_only_at_the_start",
            f"{_Q}test_real_disk.py::test_a_disk_that_fails_under_the_writer",
        ),
    ),
    5: Fault("a bound is reached", (f"{_F}test_backlog.py::test_fault_05_the_bound_is_reached",)),
    6: Fault(
        "a backlog drains beside new scans, and not all boxes at once",
        (
            f"{_F}test_backlog.py::test_fault_06_a_backlog_drains_while_patients_come",
            "tests/agent/transport/test_draining.py::test_fresh_records_overtake_a_backlog",
            (
                "tests/agent/transport/test_pace.py"
                "::test_five_hundred_boxes_do_not_come_back_in_the_same_second"
            ),
        ),
    ),
    7: Fault(
        "a receipt is lost, central rolled back",
        (
            f"{_F}test_killed.py::test_central_is_killed",
            f"{_F}test_custody.py::test_a_batch_twice",
            f"{_F}test_asked_timed_out.py::test_the_reply_was_lost",
        ),
    ),
    8: Fault(
        "a poisonous record",
        (
            f"{_F}test_custody.py::test_a_row_nobody_can_read",
            f"{_I}test_inbox.py::test_a_row_that_crashes_is_parked_the_third_time",
        ),
    ),
    9: Fault(
        "configuration pushed, migrations, downgrade, with a backlog",
        (
            f"{_F}test_settings.py::test_the_box_is_killed_while_it_takes_settings",
            f"{_Q}test_opening.py::test_a_newer_file_is_refused",
            f"{_Q}test_opening.py::test_a_queue_of_every_former_version_opens_twice",
            f"{_F}test_old_databases.py::test_a_box_and_its_centre_open_twice",
            f"{_F}test_old_databases.py::test_killed_while_the_schema_changes",
            f"{_F}test_old_databases.py::test_a_downgrade_is_refused_in_words",
        ),
    ),
    10: Fault(
        "clocks at 1970, years ahead, jumping",
        (
            f"{_F}test_clocks.py::test_a_clock_that_is_wrong_at_a_start",
            f"{_F}test_clocks.py::test_a_clock_that_jumps_while_the_box_runs",
            f"{_F}test_clocks.py::test_a_clock_that_jumps_back_between_starts_gains_nothing",
        ),
    ),
    11: Fault(
        "offline for 25, 90, 400 days, the certificate expired",
        (
            f"{_F}test_clocks.py::test_a_box_comes_back_after_long",
            f"{_F}test_clocks.py::test_a_shelf_whose_clock_went_on_from_1970",
        ),
    ),
    12: Fault(
        "one code at two boxes",
        (
            f"{_F}test_conflicts.py::test_one_code_at_two_boxes_that_are_away",
            f"{_F}test_conflicts.py::test_the_same_box_twice_is_refused_by_itself",
            f"{_F}test_conflicts.py::test_used_online_then_shown_at_a_box_that_is_away",
        ),
    ),
    13: Fault(
        "what is wrong with a code has its reason",
        (f"{_F}test_lists.py::test_what_is_wrong_with_a_code_has_its_reason",),
    ),
    14: Fault(
        "hostile codes and names",
        (
            f"{_F}test_hostile.py::test_fault_14_a_hostile_frame",
            f"{_F}test_hostile.py::test_fault_14_a_hostile_name",
        ),
    ),
    20: Fault(
        "networks that fail",
        (
            f"{_F}test_network.py::test_fault_20_a_third_of_all_packets_is_lost",
            f"{_F}test_packets.py::test_fault_20_real_packets_are_lost_and_the_cable_is_pulled",
            f"{_F}test_network.py::test_fault_20_two_seconds_of_latency",
            f"{_F}test_network.py::test_fault_20_a_half_open_connection",
            f"{_F}test_network.py::test_fault_20_flapping",
            f"{_F}test_network.py::test_fault_20_a_captive_portal",
        ),
    ),
    21: Fault(
        "brokers that fail",
        (
            f"{_F}test_broker.py::test_fault_21_restarted_under_load",
            f"{_F}test_broker.py::test_fault_21_full",
            f"{_F}test_broker.py::test_fault_21_a_certificate_of_somebody_else",
            f"{_F}test_broker.py::test_fault_21_taken_over",
            f"{_F}test_broker.py::test_fault_21_rubbish_is_kept_for_the_box",
        ),
    ),
    22: Fault(
        "a stolen or cloned box",
        (
            f"{_F}test_stolen.py::test_fault_22_sealed_data_does_not_open_elsewhere",
            f"{_F}test_stolen.py::test_fault_22_a_cloned_box_is_found_out",
            f"{_F}test_conflicts.py::test_a_disk_that_was_put_back_is_a_case",
        ),
    ),
    23: Fault(
        "reset with unsent records, and records carried by hand",
        (
            f"{_F}test_leaving.py::test_a_reset_with_unsent_records",
            f"{_F}test_carried.py::test_out_and_back_without_a_line",
            f"{_F}test_carried.py::test_the_line_is_quicker",
        ),
    ),
}
