"""What every page needs of a request: its language, and how an answer keeps a chosen one."""

import asyncio
from collections import defaultdict
from urllib.parse import parse_qsl

from aiohttp import web

from central.web.language import Language, choose_language
from central.web.problems import WrongForm
from shared.errors import Malformed
from shared.reasons import Reason

FORM_SECONDS = 10.0
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 50

_COOKIE = "onecode-language"
_YEAR_SECONDS = 366 * 86_400


def read_language(request: web.Request) -> Language:
    """The language this request is answered in; ``?lang=`` chooses one for good."""
    return choose_language(
        request.query.get("lang"),
        request.cookies.get(_COOKIE) if "Cookie" in request.headers else None,
        request.headers.get("Accept-Language", ""),
    )


def other_language_link(request: web.Request) -> str:
    """Where this very page is in the other language: a relative reference."""
    other = Language.EN if read_language(request) is Language.ZH else Language.ZH
    query = request.rel_url.update_query(lang=other.value).query_string
    return f"?{query}"


def answer_page(
    request: web.Request, text: str, status: int = 200, *, secure: bool = False
) -> web.Response:
    """A page; a language chosen in this request is kept from now on."""
    response = web.Response(text=text, status=status, content_type="text/html")
    chosen = request.query.get("lang")
    if chosen in set(Language):
        response.set_cookie(
            _COOKIE, chosen, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
        )
    return response


async def read_form(request: web.Request) -> dict[str, str]:
    """A form's texts by name, without the space around them; a missing one reads empty.

    Passwords are as they were typed. Raises WrongForm for what is no plain form, Malformed
    (REQUEST_SLOW).
    """
    try:
        async with asyncio.timeout(FORM_SECONDS):
            data = await request.read()
    except TimeoutError as error:
        raise Malformed(Reason.REQUEST_SLOW) from error
    if data and request.content_type != _FORM:
        raise WrongForm("form")
    try:
        sent = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:  # also for bytes that are no text
        raise WrongForm("form") from error
    return defaultdict(
        str, {name: value if "password" in name else value.strip() for name, value in sent}
    )
