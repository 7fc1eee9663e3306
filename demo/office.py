"""Who works at central in the demonstration, made by the shipped commands: one of operations, who
signs in at the console and sees the boxes' accounts, and a clerk with a badge.
"""

import json
import re
import secrets
from http import HTTPStatus
from typing import Any, NamedTuple

from demo.http_calls import Answer, call, name_and_value
from demo.stage import BOX, Stage
from demo.supervisor import StepError

_LOGIN = "demo"
_CLERK = "clerk-1"
_CSRF = re.compile(r'"X-CSRF-Token": "([^"]+)"')


class Badge(NamedTuple):
    """What a clerk has: the text of a badge's symbol, and what is in the head."""

    text: str
    pin: str
    name: str


class Office:
    """Central's people and their sessions."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._url = f"http://127.0.0.1:{stage.ports.web}"
        self._password = secrets.token_urlsafe(15)
        self._session = ""

    def open(self) -> Badge:
        """Make the first administrators, one of operations and a clerk; the clerk's badge."""
        self._stage.central("user", "bootstrap", "--json")
        first = self._add(_LOGIN, "演示运维员", "operations")["password"]
        self._add(_CLERK, "收费员小何", "clerk", site=BOX.partition("/")[0])
        (given,) = json.loads(self._stage.central("user", "badge", _CLERK, "--json"))
        # A drawn password is good for one sign-in; the first thing to do is to choose another.
        session = name_and_value(self._sign_in(first))
        page = call("GET", f"{self._url}/console/account", cookie=session).body.decode()
        csrf = _CSRF.search(page)
        if csrf is None:
            raise StepError("the console's account page has no form")
        form = {
            "password": first,
            "new-password": self._password,
            "new-password-again": self._password,
        }
        token = {"X-CSRF-Token": csrf[1]}
        path = f"{self._url}/console/account/password"
        _cookie(call("POST", path, cookie=session, form=form, headers=token))
        self._session = name_and_value(self.sign_in())
        return Badge(given["badge_text"], given["pin"], given["name"])

    def sign_in(self) -> str:
        """Sign in at the console; the session as a Set-Cookie header. Raises StepError."""
        return self._sign_in(self._password)

    def read_account(self) -> Any:
        """What central says of the box: created, acknowledged, pending, tombstoned, holds.

        Raises StepError, OSError.
        """
        path = f"{self._url}/api/v1/boxes/{BOX}"
        answer = call("GET", path, cookie=self._session)
        if answer.status == HTTPStatus.UNAUTHORIZED:  # a session lasts half a day
            self._session = name_and_value(self.sign_in())
            answer = call("GET", path, cookie=self._session)
        if answer.status != HTTPStatus.OK:
            raise StepError(f"central answers {answer.status}")
        return json.loads(answer.body)["account"]

    def _sign_in(self, password: str) -> str:
        form = {"name": _LOGIN, "password": password}
        return _cookie(call("POST", f"{self._url}/console/sign-in", form=form))

    def _add(self, login: str, name: str, role: str, **more: str) -> Any:
        user = {"login": login, "name": name, "role": role, **more}
        answer = self._stage.central("user", "add", "--json", given=json.dumps(user))
        return json.loads(answer)[0]


def _cookie(answer: Answer) -> str:
    if not answer.cookies:
        raise StepError(f"the console lets nobody in: {answer.status}")
    return answer.cookies[0]
