"""Hostile texts in codes and names (fault 14): refused with a reason, or kept and printed as plain
text; nothing is run, no queue is stopped, and the account holds."""

import pytest

from tests.faults.world import World

FRAMES = {
    "oversized": b"A" * 5000,
    "not-text": b"\xff\xfe\x80" * 20,
    "control": b"3F\x00\x1b[2J\x07:1",
    "zpl": b"^XA^FO0,0^A0N,50,50^FDpwned^FS^XZ",
    "html": b"<script>fetch('//evil')</script>",
    "sql": b'\'; DROP TABLE "row"; --',
    "csv": b'=HYPERLINK("http://evil")',
    "path": b"../../../../etc/passwd",
    "long-id": b"F" * 64 + b":1" * 40,
}
NAMES = {
    "zpl": "^XZ^XA",
    "html": "<img src=x onerror=alert(1)>",
    "sql": "'); DROP TABLE person; --",
    "csv": "=1+1",
    "bidi": "张\u202e三",
}


@pytest.mark.parametrize("kind", FRAMES)
def test_fault_14_a_hostile_frame(world: World, kind: str) -> None:
    """It is refused, or handed on untouched as no code of ours: never accepted, never a stop."""
    before = {view["id"] for view in world.api.fetch("verdicts")}
    world.scanner.scan(FRAMES[kind].decode("latin-1"))
    mine = world.scan(world.issue_code())
    new = [view for view in world.api.fetch("verdicts") if view["id"] not in before]
    assert [view["id"] for view in new if view["verdict"] == "accepted"] == [mine["id"]]
    world.prove()


@pytest.mark.parametrize("kind", NAMES)
def test_fault_14_a_hostile_name(world: World, kind: str) -> None:
    """Refused with a reason, or registered and printed as the text that it is."""
    view = world.issue("11010020171225006X", NAMES[kind])
    assert view.get("outcome") in {"new", "found", "refused", None}
    if view.get("outcome") is None:
        assert view["reason"]
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()
