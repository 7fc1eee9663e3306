"""Scanners on a real kernel."""

from tests.hil.conftest import Hil


def test_a_scan_ends_as_a_record(hil: Hil) -> None:
    """A code typed by a USB keyboard is judged by central and kept by the box."""
    before = hil.counter.created()
    hil.scanner.type(hil.centre.issue_code() + "\r")
    hil.counter.wait_created(before + 1)
    print(hil.counter.state())
    print(hil.counter.journal())
