"""Errors of our tree as HTTP answers (RFC 9457), with our reason code and words in both languages.

The only place on the box where an HTTP status is chosen.
"""

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from shared.errors import OneCodeError, Unavailable
from shared.reasons import Reason

_STATUS = {
    Reason.REQUEST_NOT_ALLOWED: 403,
    Reason.PAGE_LINK_NEEDED: 403,
    Reason.OPERATOR_NEEDED: 403,
    Reason.PERMISSION_MISSING: 403,
    Reason.SIGN_IN_WRONG: 403,
    Reason.PIN_WRONG: 403,
    Reason.SIGN_IN_LOCKED: 429,
    Reason.PAIRING_CLOSED: 403,
    Reason.PAIRING_CODE_WRONG: 403,
    Reason.WORKSTATION_NOT_PAIRED: 403,
    Reason.WORKSTATIONS_FULL: 409,
    Reason.TOO_MANY_REQUESTS: 429,
    Reason.PRINT_ANSWER_NEEDED: 409,
    Reason.NOT_FOUND: 404,
}
_NOT_FOUND = 404


class Problem(msgspec.Struct, frozen=True):
    """The body of an answer that is not what was asked for."""

    status: int
    reason: Reason
    title: str
    title_zh: str
    next: str
    next_zh: str
    type: str = "about:blank"


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error of our tree, and the HTTP library's own refusals (no such route, another
    method, too large), into an answer; anything else is a bug and stays one."""
    try:
        return await handler(request)
    except OneCodeError as error:
        default = 503 if isinstance(error, Unavailable) else 422
        return _answer(_STATUS.get(error.reason, default), error.reason)
    except web.HTTPClientError as error:
        missing = error.status == _NOT_FOUND
        return _answer(error.status, Reason.NOT_FOUND if missing else Reason.REQUEST_MALFORMED)


def _answer(status: int, reason: Reason) -> web.Response:
    words = reason.words
    problem = Problem(
        status=status,
        reason=reason,
        title=words.en,
        title_zh=words.zh,
        next=words.next_en,
        next_zh=words.next_zh,
    )
    return web.Response(
        status=status,
        body=msgspec.json.encode(problem),
        content_type="application/problem+json",
    )
