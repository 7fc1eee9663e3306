"""The counter page's files and the way in: ``/`` is ``page/index.html``, ``/page/<name>`` each
other file of that folder, ``/enter?ticket=…`` makes a session of a ticket.

The files hold no data and are shown to anyone who came by our name. Only names that were in the
folder at the start are served, so there is no path to walk out of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from html import escape
from pathlib import Path

from aiohttp import web

from agent.api.sessions import Sessions, Tickets
from shared.errors import Refused

PAGE = Path(__file__).parent / "page"

_ENDED = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>一码通</title>
<h1>{zh}。</h1><p>{next_zh}。</p><h1 lang="en">{en}.</h1><p lang="en">{next_en}.</p></html>"""


def build_page_routes(
    renew: Callable[[web.Request, web.StreamResponse], None] | None = None, folder: Path = PAGE
) -> list[web.RouteDef]:
    """``/`` and ``/page/…``; ``renew`` lengthens the stay of a page that is let in."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in files.items() if path.is_file()}

    async def get_index(request: web.Request) -> web.StreamResponse:
        response = _file(files, "index.html")
        if renew is not None:
            renew(request, response)
        return response

    async def get_file(request: web.Request) -> web.StreamResponse:
        return _file(files, request.match_info["name"])

    return [
        web.get("/", get_index),
        web.get("/page/{name:.+}", get_file),
    ]


def build_entrance(tickets: Tickets, sessions: Sessions) -> list[web.RouteDef]:
    """``/enter``."""

    async def enter(request: web.Request) -> web.StreamResponse:
        try:
            tickets.use(request.query.get("ticket", ""))
        except Refused as refusal:
            words = refusal.reason.words._asdict()
            text = _ENDED.format(**{name: escape(text) for name, text in words.items()})
            return web.Response(status=403, text=text, content_type="text/html")
        response = web.Response(status=303, headers={"Location": "/"})
        sessions.remember(response)
        return response

    return [web.get("/enter", enter)]


def _file(files: dict[str, Path], name: str) -> web.StreamResponse:
    path = files.get(name)
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


def protect(
    frame_ancestors: Sequence[str],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal that puts the protecting headers on every answer, refusals too.

    ``frame_ancestors`` are the origins that may show the page in a frame; none by default.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self';"
        " base-uri 'none'; form-action 'self';"
        f" frame-ancestors {' '.join(frame_ancestors) or chr(39) + 'none' + chr(39)}"
    )

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cache-Control"] = "no-cache" if _is_page(request) else "no-store"
        if not frame_ancestors:
            headers["X-Frame-Options"] = "DENY"

    return add_headers


def _is_page(request: web.Request) -> bool:
    return request.path.startswith("/page/")
