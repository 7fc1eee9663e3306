"""The command line's side of the local API: asks the running box, with the token from its files."""

import http.client
from typing import TypeVar

import msgspec

from agent.config import BoxFiles, read_box_config
from shared.config import read_secret
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

_SECONDS = 30.0

T = TypeVar("T")


class _Problem(msgspec.Struct):
    """The part of a problem document (RFC 9457) that names our reason."""

    reason: Reason


class LocalApi:
    """One box's API; a connection a call."""

    def __init__(self, files: BoxFiles) -> None:
        self._files = files

    def post(self, path: str, body: object, shape: type[T]) -> T:
        """POST a value as JSON; the answer as ``shape``. Raises as ``post_bytes``."""
        return self.post_bytes(path, msgspec.json.encode(body), shape)

    def post_bytes(self, path: str, body: bytes, shape: type[T]) -> T:
        """POST JSON as it is. Raises as ``fetch``."""
        return self._call("POST", path, body, shape)

    def fetch(self, path: str, shape: type[T]) -> T:
        """GET a value as ``shape``. Raises the box's own refusal, Unavailable (AGENT_NOT_RUNNING),
        or Malformed (MESSAGE_MALFORMED) for an answer that is not a box's."""
        return self._call("GET", path, None, shape)

    def remove(self, path: str, shape: type[T]) -> T:
        """DELETE; what is left, as ``shape``. Raises as ``fetch``."""
        return self._call("DELETE", path, None, shape)

    def _call(self, method: str, path: str, body: bytes | None, shape: type[T]) -> T:
        port = read_box_config(self._files).api_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        headers = {"Content-Type": "application/json"}
        named = self._files.api_token.exists()
        if named:
            token = read_secret(self._files.api_token).decode()
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, f"/api/v1/{path}", body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(Reason.AGENT_NOT_RUNNING, str(error)) from error
        finally:
            connection.close()
        try:
            if response.status == http.client.OK:
                return msgspec.json.decode(answer, type=shape)
            reason = msgspec.json.decode(answer, type=_Problem).reason
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(Reason.MESSAGE_MALFORMED, f"HTTP {response.status}") from error
        if not named and reason is Reason.PAGE_LINK_NEEDED:
            raise Unavailable(Reason.CONFIG_MISSING, str(self._files.api_token))
        # Without a token a box says why there is none: its disk cannot take it.
        unavailable = response.status == http.client.SERVICE_UNAVAILABLE
        raise Unavailable(reason) if unavailable else Refused(reason)
