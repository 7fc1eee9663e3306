"""A demonstration as a newcomer starts it, up to the line that says how to stop it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.http_calls import Answer, call

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 120


@dataclass
class RunningDemo:
    """The process, what it has said, and the page it serves."""

    process: subprocess.Popen[str]
    output: str

    @property
    def address(self) -> str:
        """Where the page is, without a slash at its end."""
        found = re.search(r"the page +(http://127\.0\.0\.1:\d+)/", self.output)
        assert found, self.output
        return found[1]

    def port(self, path: str) -> int:
        """The port of the address that ends so in what was said."""
        found = re.search(rf"127\.0\.0\.1:(\d+){path}", self.output)
        assert found, self.output
        return int(found[1])

    def look(self) -> Any:
        """How everything stands, as the page sees it."""
        return json.loads(call("GET", f"{self.address}/looks").body)

    def read_token(self) -> str:
        """What the page's own buttons send along."""
        page = call("GET", f"{self.address}/").body.decode()
        found = re.search(r'name="demo-token" content="([^"]+)"', page)
        assert found, page
        return found[1]

    def post(self, act: str, **headers: str) -> Answer:
        """Press a button with these headers; underscores are dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call("POST", f"{self.address}/act/{act}", headers=named)

    def press(self, act: str) -> Any:
        """Press a button as the page does; what is said of it."""
        answer = self.post(act, X_Demo_Token=self.read_token(), Origin=self.address)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def stop(self) -> None:
        """Ctrl-C; everything it said is in ``output`` then."""
        self.process.send_signal(signal.SIGINT)
        self.output += self.process.communicate(timeout=STOP_SECONDS)[0]


@contextmanager
def running_demo(directory: Path) -> Iterator[RunningDemo]:
    """Started in ``directory``, its page served; stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield RunningDemo(process, _read_until(process, "Ctrl-C"))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        finally:
            process.kill()


def _read_until(process: subprocess.Popen[str], last: str) -> str:
    """A process's output up to the line that holds ``last``, or all of it."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if last in line:
            break
    return "".join(lines)
