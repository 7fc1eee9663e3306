"""The box's local API, as the hospital's own software would call it: HTTP, a token, JSON."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.supervisor import StepError


class BoxApi:
    """A client of one box on loopback."""

    def __init__(self, port: int, token_file: Path) -> None:
        self.port = port
        self._token_file = token_file

    def fetch(self, path: str) -> Any:
        """GET ``/api/v1/<path>``. Raises StepError unless the answer is 200."""
        status, body = self._call("GET", path, None)
        if status != 200:
            raise StepError(f"GET {path}: {status} {body}")
        return body

    def send(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST JSON; the answer's body, whatever its status: a refusal is an answer too."""
        return self._call("POST", path, json.dumps(body))[1]

    def is_ready(self) -> bool | None:
        """True once the box answers, None (not yet) before."""
        try:
            self.fetch("state")
        except (OSError, StepError):
            return None
        return True

    def has_lists(self) -> bool | None:
        """True once central's lists have come, without which a box that is alone does less."""
        advice = self.fetch("state")["lists"]["advice"]
        return None if advice and advice["reason"] == "list-missing" else True

    def _call(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        token = self._token_file.read_text(encoding="utf-8").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, f"/api/v1/{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
