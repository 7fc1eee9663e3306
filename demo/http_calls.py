"""One HTTP request to loopback, its cookies and its answer: what a browser would do, by hand."""

import http.client
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit


class Answer(NamedTuple):
    """What came back; ``cookies`` are the Set-Cookie headers as they came."""

    status: int
    cookies: tuple[str, ...]
    body: bytes


def call(
    method: str,
    url: str,
    *,
    cookie: str = "",
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Ask once, following no redirection. Raises OSError, http.client.HTTPException."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if cookie:
        sent["Cookie"] = cookie
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, urlencode(form) if form is not None else None, sent)
        answer = connection.getresponse()
        cookies = tuple(answer.headers.get_all("Set-Cookie", []))
        return Answer(answer.status, cookies, answer.read())
    finally:
        connection.close()


def name_and_value(set_cookie: str) -> str:
    """What a browser sends back of a Set-Cookie header."""
    return set_cookie.partition(";")[0]
