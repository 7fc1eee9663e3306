"""The demonstration's own page on loopback: frames of the real pages, buttons, the account.

It answers one browser on this machine. Another site's page cannot press a button: a POST needs
this page's token, its Origin and its Host. What a button does is handed to the main thread.
"""

import hmac
import json
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from demo.controls import Controls, NotNowError
from demo.looks import Looks
from demo.office import Office
from demo.phone import Phone
from demo.stage import Stage
from demo.supervisor import StepError
from demo.table import Said

HOST = "127.0.0.1"
TOKEN_HEADER = "X-Demo-Token"  # noqa: S105 - a header's name
_PAGE = Path(__file__).parent / "page"
_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_ACT_SECONDS = 90.0


class PageServer:
    """Serves the page while it is entered; ``work`` does in the caller's thread what is asked."""

    def __init__(
        self, stage: Stage, office: Office, phone: Phone, controls: Controls, slip: Path
    ) -> None:
        self.stage = stage
        self.office = office
        self.phone = phone
        self.controls = controls
        self.looks = Looks(stage, office, controls)
        self.slip = slip
        self.token = secrets.token_urlsafe(24)
        self._asked: queue.Queue[tuple[str, Future[Said]]] = queue.Queue()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server((HOST, self.stage.ports.page), _Handler)
        self._server.page = self
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        while not self._asked.empty():
            self._asked.get()[1].cancel()

    def ask(self, act: str) -> Said:
        """Have the main thread do it; from any other. Raises what the act raises, TimeoutError."""
        asked: Future[Said] = Future()
        self._asked.put((act, asked))
        return asked.result(_ACT_SECONDS)

    def work(self, seconds: float) -> None:
        """Do the next thing that is asked for, or wait so long for one."""
        try:
            act, asked = self._asked.get(timeout=seconds)
        except queue.Empty:
            return
        try:
            asked.set_result(self.controls.acts[act]())
        except (NotNowError, StepError, OSError) as failure:
            asked.set_exception(failure)
        finally:
            asked.cancel()  # what interrupts us is no answer; done ones stay as they are


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    page: PageServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    @property
    def _page(self) -> PageServer:
        return cast(_Server, self.server).page

    def do_GET(self) -> None:
        """The page, its files, pictures, the way to the counter, and how things stand."""
        if not self._is_ours():
            return self._answer(HTTPStatus.FORBIDDEN)
        first, _, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        shows: dict[str, Callable[[str], None]] = {
            "": self._show_page,
            "looks": self._show_looks,
            "counter": self._lead_to_counter,
            "slip.png": self._show_slip,
            "label": self._show_label,
            **{name: partial(self._show_file, name) for name in _FILES},
        }
        return shows.get(first, self._show_nothing)(rest)

    def do_POST(self) -> None:
        """``/act/<name>``: a button."""
        self.close_connection = True  # a body is of no use to us and is not read
        given = self.headers.get(TOKEN_HEADER, "").encode("latin-1")
        if (
            not self._is_ours()
            or self.headers.get("Origin") != self._page.stage.page_origin
            or not hmac.compare_digest(given, self._page.token.encode())
        ):
            return self._answer(HTTPStatus.FORBIDDEN)
        act = self.path.removeprefix("/act/")
        if act not in self._page.controls.acts:
            return self._answer(HTTPStatus.NOT_FOUND)
        try:
            said, held = self._page.ask(act), True
        except NotNowError as reason:
            said, held = reason.said, False
        except (StepError, OSError) as failure:
            said, held = Said(f"没有成功：{failure}", f"it did not work: {failure}"), False
        except CancelledError:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
        return self._say(HTTPStatus.OK, {"zh": said.zh, "en": said.en, "held": held})

    def _is_ours(self) -> bool:
        return self.headers.get("Host") == f"{HOST}:{self._page.stage.ports.page}"

    def _show_file(self, name: str, _rest: str) -> None:
        self._answer(HTTPStatus.OK, (_PAGE / name).read_bytes(), _FILES[name])

    def _show_looks(self, _rest: str) -> None:
        self._say(HTTPStatus.OK, self._page.looks.read())

    def _show_slip(self, _rest: str) -> None:
        self._answer(HTTPStatus.OK, self._page.slip.read_bytes(), "image/png")

    def _show_nothing(self, _rest: str) -> None:
        self._answer(HTTPStatus.NOT_FOUND)

    def _show_page(self, _rest: str) -> None:
        page = self._page
        template = Template((_PAGE / "index.html").read_text(encoding="utf-8"))
        text = template.substitute(
            token=page.token,
            console=f"http://{HOST}:{page.stage.ports.web}/console/boxes",
            phone=page.phone.link,
        )
        # Cookies know no ports: central gets its own session and the phone's secret back.
        cookies = (page.office.sign_in(), page.phone.cookie)
        self._answer(HTTPStatus.OK, text.encode(), "text/html", cookies=cookies)

    def _lead_to_counter(self, _rest: str) -> None:
        if self._page.controls.box_runs():
            try:
                url = self._page.stage.api.send("tickets", {})["url"]
            except (OSError, KeyError):
                pass
            else:
                return self._answer(HTTPStatus.SEE_OTHER, headers={"Location": url})
        off = (_PAGE / "off.html").read_bytes()
        return self._answer(HTTPStatus.OK, off, "text/html")

    def _show_label(self, name: str) -> None:
        try:
            file = self._page.stage.print_file(str(UUID(name)), "png")
            return self._answer(HTTPStatus.OK, file.read_bytes(), "image/png")
        except (ValueError, FileNotFoundError):
            return self._answer(HTTPStatus.NOT_FOUND)

    def _say(self, status: HTTPStatus, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._answer(status, body, "application/json")

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        kind: str = "text/plain",
        headers: Mapping[str, str] | None = None,
        cookies: tuple[str, ...] = (),
    ) -> None:
        ports = self._page.stage.ports
        frames = " ".join(f"http://{HOST}:{port}" for port in (ports.web, ports.api))
        self.send_response(status)
        self.send_header("Content-Type", kind if kind == "image/png" else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
            f" connect-src 'self'; frame-src 'self' {frames}; base-uri 'none';"
            " form-action 'none'; frame-ancestors 'self'",
        )
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the story."""
