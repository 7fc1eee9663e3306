"""The page at which a browser of another PC pairs: one small form, in both languages, no script."""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from aiohttp import web

from agent.api.patience import read_body
from agent.handover.routes import Paired
from shared.errors import Refused
from shared.reasons import Reason

_STYLE = Path(__file__).with_name("pair.css")
_COOKIE_SECONDS = 400 * 86_400  # the most that browsers keep (RFC 6265bis §5.5)

_PAGE = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>一码通 · 配对</title><link rel="stylesheet" href="/pair.css">
<main>
<h1>配对这台电脑 <small lang="en">Pair this PC</small></h1>
{problem}
<form method="post" action="/pair" autocomplete="off">
<label for="code">配对码 <small lang="en">Pairing code</small></label>
<input id="code" name="code" inputmode="numeric" maxlength="8" required autofocus>
<label for="name">电脑名称 <small lang="en">Name of this PC</small></label>
<input id="name" name="name" maxlength="40" required>
<button>配对 <small lang="en">Pair</small></button>
</form>
<p>配对码显示在窗口页面上（按 F9）。<small lang="en">The code is on the counter page
(press F9).</small></p>
</main>
</html>"""
_PROBLEM = '<p role="alert"><b>{zh}。{next_zh}。</b> <small lang="en">{en}. {next_en}.</small></p>'


def build_entrance_routes(
    pair: Callable[[str, str, str], Awaitable[Paired]], cookie: str
) -> list[web.RouteDef]:
    """``/pair`` and its style. ``pair(code, name, address)`` raises Refused."""

    async def get_form(_: web.Request) -> web.Response:
        return _page(200, None)

    async def get_style(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(_STYLE)

    async def post_form(request: web.Request) -> web.Response:
        fields = parse_qs((await read_body(request)).decode(errors="replace"), max_num_fields=8)
        code, name = (fields.get(key, [""])[0].strip() for key in ("code", "name"))
        try:
            paired = await pair(code, name, request.remote or "")
        except Refused as refusal:
            return _page(403, refusal.reason)
        response = web.Response(status=303, headers={"Location": "/"})
        remember(response, cookie, paired.token)
        return response

    return [
        web.get("/pair", get_form),
        web.get("/pair.css", get_style),
        web.post("/pair", post_form),
    ]


def remember(response: web.StreamResponse, cookie: str, token: str) -> None:
    """Let the browser keep its token for as long as browsers do."""
    response.set_cookie(
        cookie,
        token,
        max_age=_COOKIE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )


def _page(status: int, reason: Reason | None) -> web.Response:
    problem = ""
    if reason is not None:
        words = {name: escape(text) for name, text in reason.words._asdict().items()}
        problem = _PROBLEM.format(**words)
    # Without its origin the form could not be told from a foreign page's.
    headers = {"Referrer-Policy": "same-origin"}
    text = _PAGE.replace("{problem}", problem)
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
