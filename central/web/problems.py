"""An error of our tree as an HTTP answer (RFC 9457): reason code, words in both languages, what to
do, and the request's id.

Two rules give almost every status: 422 says that the request's form is wrong, 409 that its form is
right and central refuses for the reason given. What was sent is never repeated.
"""

import re

import msgspec

from shared.errors import Damaged, Malformed, OneCodeError, Unavailable
from shared.reasons import Reason

MEDIA_TYPE = "application/problem+json"

_STATUS = {
    Reason.SIGN_IN_NEEDED: 401,
    Reason.SIGN_IN_WRONG: 401,
    Reason.SESSION_ENDED: 401,
    Reason.PERMISSION_MISSING: 403,
    Reason.REQUEST_NOT_ALLOWED: 403,
    Reason.NOT_FOUND: 404,
    Reason.PERSON_UNKNOWN: 404,
    Reason.NOT_ADMITTED: 404,
    Reason.REQUEST_SLOW: 408,
    Reason.CHANGED_MEANWHILE: 412,
    Reason.BODY_TOO_LARGE: 413,
    Reason.SIGN_IN_LOCKED: 429,
    Reason.TOO_MANY_REQUESTS: 429,
    Reason.UNEXPECTED: 500,
}
WRONG_FORM = 422
_CONFLICT = 409
_PLACE = re.compile(r"at `\$\.?([^`]*)`$")


class Problem(msgspec.Struct, frozen=True):
    """The body of an answer that is not what was asked for."""

    status: int
    reason: Reason
    title: str
    title_zh: str
    next: str
    next_zh: str
    request_id: str
    detail: str = ""  # for engineers: which field, which id; never a value that was sent
    type: str = "about:blank"


class WrongForm(Malformed):
    """What came is not what the document says."""

    def __init__(self, where: str) -> None:
        super().__init__(Reason.REQUEST_MALFORMED, where)


def status_of(error: OneCodeError) -> int:
    """The status of an error; the same for a reason wherever it comes up."""
    if isinstance(error, Unavailable):
        return 503
    if isinstance(error, Damaged):
        return 500
    if isinstance(error, WrongForm):
        return WRONG_FORM
    return status_of_reason(error.reason)


def status_of_reason(reason: Reason) -> int:
    """The status of a refusal with this reason."""
    return _STATUS.get(reason, _CONFLICT)


def build_problem(reason: Reason, status: int, request_id: str, detail: str = "") -> Problem:
    """A problem in the words of its reason; ``detail`` leaves for what the asker can mend alone."""
    words = reason.words
    return Problem(
        status=status,
        reason=reason,
        title=words.en,
        title_zh=words.zh,
        next=words.next_en,
        next_zh=words.next_zh,
        request_id=request_id,
        detail=detail if status < 500 else "",
    )


def read_place(error: msgspec.ValidationError) -> str:
    """Which field a value did not fit, without the value."""
    found = _PLACE.search(str(error))
    return found[1] if found else ""
