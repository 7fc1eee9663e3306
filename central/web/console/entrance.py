"""The way in and out of the console, and one's own account: password and second factor.

A sign-in is a plain form, so that it works before any script has come.
"""

from functools import partial
from typing import Any

from aiohttp import web

from central.users.desk import Desk
from central.users.principal import SignedIn
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.frame import ACCOUNT, SIGN_IN, Frame, go_to, owes
from central.web.problems import status_of
from central.web.routing import ADDRESS, PRINCIPAL
from central.web.visitors import read_form
from shared.errors import Refused
from shared.qr import Level, render_svg
from shared.reasons import Reason

_FORM = "console/sign_in.html"
_GUESS_COST = 5.0
_ANSWERS = frozenset({Reason.SIGN_IN_WRONG, Reason.SIGN_IN_LOCKED, Reason.TOO_MANY_REQUESTS})


class Entrance:
    """Sign-in, sign-out, account."""

    def __init__(self, site: Site, frame: Frame, desk: Desk) -> None:
        self._site = site
        self._frame = frame
        self._desk = desk

    def add_routes(self) -> None:
        """Public but for the account and the way out."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        add("GET", SIGN_IN, self.show, public=True)
        add("POST", SIGN_IN, self.sign_in, public=True, cost=_GUESS_COST)
        add("POST", "/console/sign-out", self.sign_out)
        own = Permission.ACCOUNT_WRITE
        add("GET", ACCOUNT, self.show_account, permission=Permission.ACCOUNT_READ)
        add("POST", f"{ACCOUNT}/password", self.change_password, permission=own)
        add("POST", f"{ACCOUNT}/second-factor", self.begin_second_factor, permission=own)
        add("POST", f"{ACCOUNT}/second-factor/confirm", self.confirm_second_factor, permission=own)

    async def show(self, request: web.Request) -> web.Response:
        """The form."""
        reason = Reason.SESSION_ENDED if "ended" in request.query else None
        return self._frame.page(request, _FORM, **_form(reason))

    async def sign_in(self, request: web.Request) -> web.Response:
        """Name and password, then, where the user has one, the second factor."""
        form = await read_form(request)
        login, address = form["name"], request[ADDRESS]
        try:
            signed_in = await self._desk.sign_in(login, form["password"], address, form["code"])
        except Refused as refused:
            if refused.reason is Reason.SIGN_IN_CODE_NEEDED:
                return self._frame.page(request, _FORM, **_form(None, login, code_needed=True))
            if refused.reason not in _ANSWERS:
                raise
            values = _form(refused.reason, login, wait=refused.detail)
            return self._frame.page(request, _FORM, status_of(refused), **values)
        return self._enter(request, signed_in, "/console")

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session, here and in every tab."""
        secret = request.cookies.get(self._site.sign_ins.cookie, "")
        await self._desk.sign_out(secret, request[PRINCIPAL])
        self._site.sign_ins.forget()
        response = go_to(request, SIGN_IN)
        response.del_cookie(self._site.sign_ins.cookie, secure=self._frame.secure)
        return response

    async def show_account(self, request: web.Request) -> web.Response:
        """What the user still owes, and the forms for it."""
        return self._frame.page(
            request, "console/account.html", owed=owes(request), changed="changed" in request.query
        )

    async def change_password(self, request: web.Request) -> web.Response:
        """A new password: every session ends, this browser gets a new one."""
        form = await read_form(request)
        current, new = form["password"], form["new-password"]
        if new != form["new-password-again"]:
            raise Refused(Reason.PASSWORDS_DIFFER)
        try:
            signed_in = await self._desk.change_password(
                request[PRINCIPAL], current, new, request[ADDRESS]
            )
        except Refused as refused:
            return self._say_wrong(request, refused)
        return self._enter(request, signed_in, f"{ACCOUNT}?changed=1")

    async def begin_second_factor(self, request: web.Request) -> web.Response:
        """The secret for an authenticator, as a symbol and as text."""
        enrolment = await self._desk.begin_second_factor(request[PRINCIPAL])
        label = self._frame.language(request).choose("验证器二维码", "Authenticator code")
        picture = render_svg(enrolment.uri, Level.M, label)
        return self._frame.page(
            request, "console/factor.html", picture=picture, secret=enrolment.secret
        )

    async def confirm_second_factor(self, request: web.Request) -> web.Response:
        """Put it to use with its first code; recovery codes are shown once."""
        form = await read_form(request)
        try:
            signed_in, codes = await self._desk.confirm_second_factor(
                request[PRINCIPAL], form["code"]
            )
        except Refused as refused:
            return self._say_wrong(request, refused)
        response = self._frame.page(request, "console/recovery.html", codes=codes)
        return self._keep(response, signed_in)

    def _say_wrong(self, request: web.Request, refused: Refused) -> web.Response:
        # Not 401: the session stands, only what was typed is wrong.
        if refused.reason is not Reason.SIGN_IN_WRONG:
            raise refused
        return self._frame.notice(request, refused.reason, 422)

    def _enter(self, request: web.Request, signed_in: SignedIn, path: str) -> web.Response:
        return self._keep(go_to(request, path), signed_in)

    def _keep(self, response: web.Response, signed_in: SignedIn) -> web.Response:
        self._site.sign_ins.forget()
        response.set_cookie(
            self._site.sign_ins.cookie,
            signed_in.secret,
            httponly=True,
            samesite="Strict",
            secure=self._frame.secure,
        )
        return response


def _form(
    reason: Reason | None, login: str = "", *, code_needed: bool = False, wait: str = ""
) -> dict[str, Any]:
    """What the form says: why not, for how long, and whether a second factor is asked for."""
    return {
        "words": reason.words if reason else None,
        "login": login,
        "code_needed": code_needed,
        "wait": wait,
    }
