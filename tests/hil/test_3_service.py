"""The unit on a real systemd: its hardening, its watchdog."""

import re

from demo.supervisor import wait_until
from tests.hil.conftest import Hil
from tests.hil.counter import SECONDS, UNIT

MOST_EXPOSURE = 2.0


def test_exposure(hil: Hil) -> None:
    """systemd's own judge finds the installed unit tight enough."""
    report = hil.counter.machine.run(f"systemd-analyze security {UNIT} --no-pager")
    match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)
    assert match is not None, report
    assert float(match[1]) <= MOST_EXPOSURE


def test_an_agent_that_hangs_is_started_again(hil: Hil) -> None:
    """The watchdog ends a process that stands still; the next one has every record."""
    machine = hil.counter.machine
    before = hil.counter.created()
    folder = f"/run/systemd/system/{UNIT}.service.d"
    machine.run(
        f"mkdir -p {folder} && printf '[Service]\\nWatchdogSec=5\\n' >{folder}/soon.conf"
        f" && systemctl daemon-reload && systemctl restart {UNIT}"
    )
    hil.counter.start_agent()
    machine.run(f"kill -STOP $(systemctl show {UNIT} -p MainPID --value)")
    restarts = f"systemctl show {UNIT} -p NRestarts --value"
    wait_until(lambda: int(machine.run(restarts)) or None, SECONDS, "systemd started another")
    hil.counter.start_agent()
    assert "watchdog" in hil.counter.journal().lower()
    assert hil.counter.created() == before
    hil.counter.wait_state("ready", lambda state: state["scanner"]["state"] == "ready")
    hil.scanner.type("D0000001:1\r")
    hil.counter.wait_created(before + 1)
    machine.run(f"rm -r {folder} && systemctl daemon-reload")
