"""The demonstration as a newcomer runs it: whole, on busy ports, stopped by Ctrl-C."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.__main__ import play
from demo.answers import Happened, require
from demo.http_calls import call
from demo.residents import SAMPLE, build_number
from demo.story import Block, Step, Story
from demo.supervisor import StepError, Supervisor, choose_port, is_open, wait_until
from demo.table import Said, StepTable, open_console
from tests.system.running_demo import ROOT, RunningDemo, running_demo

TITLE = Said("一步", "a step")
SCANS = {
    "scan-phone": "ACCEPTED",
    "scan-again": "REFUSED",
    "scan-label": "ACCEPTED",
    "scan-stranger": "ACCEPTED",
    "scan-torn": "REFUSED",
    "scan-payment": "not ours: no paired workstation takes it, no record",
}


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Hold a port, unless somebody else on this machine already does."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not is_open(port):
            holder.bind(("127.0.0.1", port))
            holder.listen()
        yield


def alive_in(session_of: Path) -> list[str]:
    """Command lines of processes that work below a directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(session_of).encode() in entry.read_bytes():
                found.append(entry.with_name("cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


def test_demo_holds_on_busy_ports_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    """Every step holds, busy ports are replaced and named, labels lie there, each button of the
    page does what it says, nothing runs on."""
    shared = set(Path("/dev/shm").glob("*faketime*"))
    with occupied(8700), occupied(8883), occupied(8600), running_demo(tmp_path) as demo:
        ports = [demo.port("/api"), demo.port("/ ")]
        assert not {8700, 8600} & set(ports)
        assert all(map(is_open, ports))
        press_everything(demo)
        refuse_strangers(demo)
        demo.stop()
    assert demo.process.returncode == 0, demo.output
    assert "✗" not in demo.output
    assert "All people below are fictitious" in demo.output
    account = re.search(
        r"^created (\d+) = acknowledged (\d+) \+ pending 0 \+ tombstoned 0 ✓",
        demo.output,
        re.MULTILINE,
    )
    assert account, demo.output
    assert account[1] == account[2]
    built = tmp_path / "build/demo"
    prints = {path.stem for path in built.glob("*.png")}
    assert len(prints) == 8, "the installation slip, six labels of the story, one of the page"
    assert prints == {path.stem for path in built.glob("*.zpl")}
    assert not any(map(is_open, ports))
    assert not alive_in(tmp_path)
    assert set(Path("/dev/shm").glob("*faketime*")) <= shared


def press_everything(demo: RunningDemo) -> None:
    """Each button once, in an order in which each has something to do."""
    begun = demo.look()
    assert begun["box_account"]["holds"]
    assert begun["box_account"] == begun["central_account"]
    for act, what, stands in (
        ("operator-in", "operator", "收费员小何"),
        ("operator-out", "operator", None),
        ("paper-out", "paper", False),
        ("paper-in", "paper", True),
        ("scanner-pull", "scanner", False),
        ("scanner-plug", "scanner", True),
        ("clock-ahead", "clock", 86_400),
        ("clock-behind", "clock", -86_400),
        ("clock-right", "clock", 0),
        ("network-cut", "network", False),
        ("network-restore", "network", True),
    ):
        assert demo.press(act)["held"], act
        assert demo.look()[what] == stands, act
    said = {act: demo.press(act) for act in SCANS}
    assert {act: said[act]["en"].split(" · ")[0] for act in SCANS} == SCANS
    assert "new" in demo.press("register")["en"]
    assert demo.look()["label"]["id"] > begun["label"]["id"]
    assert demo.press("box-kill")["held"]
    killed = demo.look()
    assert killed["box"] is False
    assert killed["on_disk"]
    assert killed["box_account"]["holds"]
    assert not demo.press("scan-label")["held"], "there is no box to scan"
    assert demo.press("box-start")["held"]
    wait_until(lambda: is_settled(demo.look()), 30, "both accounts agree")


def is_settled(looks: dict[str, Any]) -> bool | None:
    """Whether box and central say the same of every record."""
    box, central = looks["box_account"], looks["central_account"]
    return True if box and not box["pending"] and box == central else None


def refuse_strangers(demo: RunningDemo) -> None:
    """Neither another page nor another name of this machine presses a button or sees anything."""
    token, own = demo.read_token(), demo.address
    assert demo.post("network-cut", Origin=own).status == 403
    assert demo.post("network-cut", Origin=own, X_Demo_Token="x").status == 403
    assert demo.post("network-cut", X_Demo_Token=token).status == 403
    for origin in ("http://127.0.0.1:1", "null", "https://evil.example"):
        assert demo.post("network-cut", Origin=origin, X_Demo_Token=token).status == 403
    foreign = {"Host": "evil.example", "Origin": own, "X_Demo_Token": token}
    assert demo.post("network-cut", **foreign).status == 403
    assert call("GET", f"{own}/", headers={"Host": "evil.example"}).status == 403
    assert demo.post("no-such-button", Origin=own, X_Demo_Token=token).status == 404
    for path in ("label/../box/api.token", "label/x", "page.css/../index.html", "index.html"):
        answer = call("GET", f"{own}/{path}")
        assert b"{" not in answer.body or answer.body.startswith(b"/*"), path
    assert demo.look()["network"]


def test_step_that_does_not_hold_ends_the_story() -> None:
    """After a step that does not hold nothing more is tried, and the run has failed."""
    tried = []

    def hold() -> Happened:
        tried.append("held")
        return Happened(TITLE)

    def fail() -> Happened:
        tried.append("failed")
        require(False, "it does not hold")
        return Happened(TITLE)

    class ShortStory(Story):
        def __init__(self) -> None:
            self.account = ""

        def blocks(self) -> list[Block]:
            return [Block(TITLE, [Step(TITLE, hold), Step(TITLE, fail), Step(TITLE, hold)])]

    assert not play(ShortStory(), StepTable(open_console()), lambda: "")
    assert tried == ["held", "failed"]


def test_child_that_ends_by_itself_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    """A part that dies is noticed, and its log's end is shown."""
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("short", ["sh", "-c", "echo no more; exit 5"])
        with pytest.raises(StepError, match=r"(?s)short ended with 5.*no more"):
            supervisor.wait_ready("short", lambda: None)


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """Even kill -9 of the demonstration leaves nothing running."""
    program = (
        "import pathlib, signal, sys; from demo.supervisor import Supervisor\n"
        "supervisor = Supervisor(pathlib.Path(sys.argv[1]))\n"
        "supervisor.start('child', ['sh', '-c', 'echo $$; exec sleep 600'])\n"
        "signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path], cwd=ROOT) as process:
        log = tmp_path / "child.log"
        text = wait_until(lambda: (log.exists() and log.read_text().strip()) or None, 20, "a pid")
        process.kill()
    gone = wait_until(lambda: not Path(f"/proc/{text}").exists() or None, 20, "the child is gone")
    assert gone


def test_children_stop_in_the_reverse_of_their_first_order(tmp_path: Path) -> None:
    """A child that was started again still stops in its old place."""
    order = tmp_path / "order"
    program = (
        "import pathlib, signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "print('up', flush=True)\n"
        "signal.sigwait({signal.SIGTERM})\n"
        "with pathlib.Path(sys.argv[1]).open('a') as order: print(sys.argv[2], file=order)"
    )
    with Supervisor(tmp_path) as supervisor:

        def start(name: str) -> None:
            supervisor.start(name, [sys.executable, "-c", program, order, name])
            supervisor.wait_ready(name, lambda: supervisor.last_words(name) or None)

        start("first")
        start("second")
        supervisor.kill("first")
        supervisor.log_file("first").unlink()
        start("first")
    assert order.read_text().split() == ["second", "first"]


def test_busy_port_is_replaced() -> None:
    """A port somebody listens on is not chosen; a free one is."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        busy = holder.getsockname()[1]
        assert choose_port(busy) != busy
    assert choose_port(busy) == busy


def test_people_are_made_by_rule() -> None:
    """The first is the standard's sample; every number is one GB 11643 accepts."""
    assert SAMPLE.number == "11010020171225006X"
    assert build_number("20171225", 6) == SAMPLE.number


def test_wait_gives_up_in_time() -> None:
    """What never happens is a failure that says what was waited for."""
    begun = time.monotonic()
    with pytest.raises(StepError, match="the moon"):
        wait_until(lambda: None, 0.01, "the moon")
    assert time.monotonic() > begun
