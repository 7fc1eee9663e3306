"""The demonstration as a newcomer runs it: whole, on busy ports, stopped by Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.__main__ import play
from demo.answers import Happened, require
from demo.residents import SAMPLE, build_number
from demo.story import Block, Step, Story
from demo.supervisor import StepError, Supervisor, choose_port, is_open, wait_until
from demo.table import Said, StepTable, open_console

ROOT = Path(__file__).resolve().parents[2]
TITLE = Said("一步", "a step")
STORY_SECONDS = 120


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Hold a port, unless somebody else on this machine already does."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not is_open(port):
            holder.bind(("127.0.0.1", port))
            holder.listen()
        yield


def read_until(process: subprocess.Popen[str], last: str) -> str:
    """A process's output up to the line that holds ``last``, or all of it."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if last in line:
            break
    return "".join(lines)


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
    """Every step holds, busy ports are replaced and named, labels lie there, nothing runs on."""
    with occupied(8700), occupied(8883):
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            output = read_until(process, "Ctrl-C")
            address = re.search(r"127\.0\.0\.1:(\d+)/api", output)
            assert address, output
            port = int(address[1])
            assert port != 8700
            assert is_open(port)
            process.send_signal(signal.SIGINT)
            output += process.communicate(timeout=STORY_SECONDS)[0]
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "✗" not in output
    assert "All people below are fictitious" in output
    account = re.search(
        r"^created (\d+) = acknowledged (\d+) \+ pending 0 \+ tombstoned 0 ✓", output, re.MULTILINE
    )
    assert account, output
    assert account[1] == account[2]
    built = tmp_path / "build/demo"
    labels = {path.stem for path in built.glob("*.png")}
    assert len(labels) == 6, "five labels and the installation slip"
    assert labels == {path.stem for path in built.glob("*.zpl")}
    assert not is_open(port)
    assert not alive_in(tmp_path)


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
