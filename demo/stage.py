"""Everything the story is played on: folders, ports, the broker, central, one box, its scanner.

Knows the shipped commands and the box's local API, and nothing of what is behind them.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

import zxingcpp
from PIL import Image

from demo.box_api import BoxApi
from demo.box_clock import BoxClock
from demo.residents import Resident
from demo.scanner import PtyScanner
from demo.supervisor import StepError, Supervisor, choose_port, is_open, wait_until

SITE_NAME = "虚构市人民医院"
BOX = "renmin/box1"
SERIAL = "DEMO-0001"
PAGE_PORT = 8600
COUNTER = "1号窗口"
AGAIN_SECONDS = 1
RESIDENT_CARD = "01"
"""The national table's document type of every resident here."""
_PNG_END = b"IEND\xaeB`\x82"
_COMMAND_SECONDS = 60
_WAIT_SECONDS = 30


class Ports(NamedTuple):
    """Where things listen on loopback; each is the usual port when that is free."""

    boxes: int
    central: int
    join: int
    web: int
    api: int
    page: int


class Stage:
    """The parts of one demonstration, made afresh below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.central_directory = directory / "central"
        self.box_directory = directory / "box"
        self.supervisor = Supervisor(directory)
        self.scanner = PtyScanner(directory / "scanner")
        self.clock = BoxClock(directory / "clock")
        self.ports = Ports(*map(choose_port, (8883, 8884, 8443, 8080, 8700, PAGE_PORT)))
        self.api = BoxApi(self.ports.api, self.box_directory / "api.token")
        self._last_scan_at = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self._stack.enter_context(self.clock)
        self._stack.enter_context(self.scanner)
        self._stack.enter_context(self.supervisor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def page_origin(self) -> str:
        """Where the demonstration's own page is."""
        return f"http://127.0.0.1:{self.ports.page}"

    # --- parts -----------------------------------------------------------------------------------

    def found_central(self) -> None:
        """Make central's directory."""
        listeners = ("--box-port", self.ports.boxes, "--central-port", self.ports.central)
        web = ("--web-port", self.ports.web, "--join-port", self.ports.join)
        self.central("init", *map(str, (*listeners, *web)))
        config = self.central_directory / "central.toml"
        text = config.read_text(encoding="utf-8")
        framed = f'[web]\nframe_ancestors = ["{self.page_origin}"]'
        config.write_text(text.replace("[web]", framed), encoding="utf-8")

    def invite_box(self) -> str:
        """A one-time invite for the box, as text; only a machine of this serial number may."""
        answer = self.central(
            *("box", "invite", BOX, "--counter", COUNTER, "--site-name", SITE_NAME),
            *("--serial", SERIAL, "--json"),
        )
        return str(json.loads(answer)[0]["invite"])

    def start_unjoined_box(self) -> None:
        """Start a box that belongs nowhere yet: its scanner is our pseudo-terminal, its printer a
        folder."""
        machine = {
            "--serial": SERIAL,
            "--api-port": str(self.ports.api),
            "--scanner": f"serial:{self.scanner.path}",
            "--printer": f"simulated:{self.directory}",
        }
        self._start_box(*(word for pair in machine.items() for word in pair))
        self.supervisor.wait_ready(
            "box", lambda: "ready" in self.supervisor.last_words("box") or None
        )

    def join_box(self, invite: str) -> Path:
        """Hold the invite to the box's scanner; the picture of the slip that its printer gives."""
        self.scanner.scan(invite)
        slip = wait_until(self._newest_print, _WAIT_SECONDS, "a slip is printed")
        self.stop_box()
        config = self.box_directory / "box.toml"
        text = config.read_text(encoding="utf-8")
        # A demonstration need not wait out the usual ten seconds between two showings.
        first = f'again_seconds = {AGAIN_SECONDS}\nframe_ancestors = ["{self.page_origin}"]\n'
        config.write_text(first + text, encoding="utf-8")
        return slip

    def start_broker(self) -> None:
        """Start Mosquitto with the configuration that central wrote."""
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            raise StepError("mosquitto 未安装 is missing: sudo apt-get install -y mosquitto")
        configuration = self.central_directory / "broker/mosquitto.conf"
        self.supervisor.start("broker", [program, "-c", configuration])
        self.supervisor.wait_ready("broker", self._sees_broker)

    def start_central(self) -> None:
        """Start ``onecode-central serve``, and wait until it answers boxes."""
        self.supervisor.start("central", [_command("onecode-central"), "serve"], self._environment)
        self.supervisor.wait_ready("central", self._sees_central)

    def start_box(self) -> None:
        """Start ``onecode-agent run``, and wait for its local API."""
        self._start_box()
        self.supervisor.wait_ready("box", self.api.is_ready)

    def stop_box(self) -> None:
        """End the box as a power cut would."""
        self.supervisor.kill("box")

    def _start_box(self, *words: str) -> None:
        environment = self._environment | self.clock.environment()
        self.supervisor.start("box", [_command("onecode-agent"), "run", *words], environment)
        self.clock.note(self.supervisor.pid("box"))

    # --- commands --------------------------------------------------------------------------------

    def central(self, *words: str, given: str = "") -> str:
        """Run ``onecode-central``; its output. Raises StepError unless it exits 0."""
        return self._run("onecode-central", words, given)

    def agent(self, *words: str) -> str:
        """Run ``onecode-agent``; its output. Raises StepError unless it exits 0."""
        return self._run("onecode-agent", words, "")

    def _run(self, name: str, words: Sequence[str], given: str) -> str:
        done = subprocess.run(
            [_command(name), *words],
            input=given,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            env=self._environment,
        )
        if done.returncode != 0:
            raise StepError(f"{name} {words[0]}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "ONECODE_CENTRAL_DIR": str(self.central_directory),
            "ONECODE_BOX_DIR": str(self.box_directory),
        }

    # --- what people do --------------------------------------------------------------------------

    def issue(self, resident: Resident) -> Any:
        """A clerk registers a resident through the local API; the answer, a refusal included."""
        form = {
            "document_type": RESIDENT_CARD,
            "number": resident.number,
            "name": resident.name,
        }
        return self.api.send("issue", form)

    def register_elsewhere(self, resident: Resident) -> str:
        """A resident registers with central, far from this box; the text of their sticker."""
        return self.central("card", "code", "--static", self.card(resident)).strip()

    def issue_dynamic_code(self, resident: Resident) -> str:
        """A resident opens the code on a phone; the text on its screen."""
        return self.central("card", "code", self.card(resident)).strip()

    def link_phone(self, resident: Resident) -> str:
        """A one-time link to the resident's page, for a phone."""
        answer = self.central("card", "link", self.card(resident), "--json")
        return str(json.loads(answer)[0]["link"])

    def card(self, resident: Resident) -> str:
        """The number of a resident's card; one is opened for somebody new."""
        request = {
            "document_type": RESIDENT_CARD,
            "document_number": resident.number,
            "name": resident.name,
        }
        answer = self.central("person", "add", "--json", given=json.dumps(request))
        return str(json.loads(answer)[0]["card"])

    def scan(self, text: str) -> Any:
        """Somebody holds a code to the scanner; the finished view of that very scan."""
        before = self._newest_scan()
        self._last_scan_at = time.monotonic()
        self.scanner.scan(text)
        return wait_until(lambda: self._scan_after(before), _WAIT_SECONDS, "the scan is shown")

    def wait_again_window(self) -> None:
        """Wait until the last code shown may be shown again as new."""
        end = self._last_scan_at + AGAIN_SECONDS + 0.1
        time.sleep(max(0.0, end - time.monotonic()))

    def read_label(self, label_id: str) -> str:
        """The text of a printed label's QR, read from its picture by a reader of its own."""
        with Image.open(self.print_file(label_id, "png")) as picture:
            found = zxingcpp.read_barcodes(picture)
        if len(found) != 1:
            raise StepError(f"the label's picture holds {len(found)} readable codes")
        return found[0].text

    def print_file(self, label_id: str, kind: str) -> Path:
        """Where a printed label is, by its number: ``png`` or ``zpl``."""
        return self.directory / f"{UUID(label_id)}.{kind}"

    def newest_label(self) -> str | None:
        """The number of the last thing that came out of the printer, None while it comes."""
        newest = self._newest_print()
        return newest.stem if newest else None

    def _newest_print(self) -> Path | None:
        # Numbers begin with their time (UUIDv7); the picture is made last, and may be half there.
        newest = max(self.directory.glob("*-*.png"), default=None)
        return newest if newest and newest.read_bytes().endswith(_PNG_END) else None

    def _newest_scan(self) -> str | None:
        views = self.api.fetch("verdicts")
        return views[0]["id"] if views else None

    def _scan_after(self, before: str | None) -> Any:
        views = self.api.fetch("verdicts")
        return views[0] if views and views[0]["id"] != before else None

    # --- what can be seen ------------------------------------------------------------------------

    def wait_online(self) -> None:
        """Wait until the box's line is up."""
        wait_until(lambda: self._line_is(up=True), _WAIT_SECONDS, "the line is up")

    def wait_lists(self) -> None:
        """Wait until the box has central's lists."""
        wait_until(self.api.has_lists, _WAIT_SECONDS, "the lists are there")

    def wait_offline(self) -> None:
        """Wait until the box has noticed that its line is gone."""
        wait_until(lambda: self._line_is(up=False), _WAIT_SECONDS, "the line is down")

    def wait_settled(self) -> Any:
        """Wait until central has signed for every record; the box's account."""
        return wait_until(self._settled_account, _WAIT_SECONDS, "nothing is pending")

    def search(self, words: Sequence[str]) -> int:
        """Look for words in every file of central, box and broker; how many files there are.

        The printed labels are meant to be read and are left out. Raises StepError on a find.
        """
        files = [
            path
            for path in self.directory.rglob("*")
            if path.is_file() and path.suffix not in {".png", ".zpl"}
        ]
        for path in files:
            content = path.read_bytes()
            if any(word.encode() in content for word in words):
                raise StepError(f"{path} holds personal data in clear")
        return len(files)

    def _line_is(self, *, up: bool) -> bool | None:
        state = self.api.fetch("state")["link"]["state"]
        return True if (state == "up") is up else None

    def _settled_account(self) -> Any:
        account = self.api.fetch("account")
        return account if account["pending"] == 0 else None

    def _sees_broker(self) -> bool | None:
        return is_open(self.ports.boxes) and is_open(self.ports.central)

    def _sees_central(self) -> bool | None:
        return True if "central is ready" in self.supervisor.last_words("central") else None


def _command(name: str) -> Path:
    return Path(sys.executable).with_name(name)
