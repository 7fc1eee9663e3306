"""The API's operations on machines' tokens, for the security administrator."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from central.users.roles import Permission, Role
from central.users.tokens import MOST_DAYS, MachineToken, NewToken, Tokens
from central.web.fields import Label, Page, PageQuery, Text, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.errors import Refused
from shared.reasons import Reason

Days = Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)]


class TokenPath(msgspec.Struct, frozen=True):
    """A token."""

    token: UUID


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token is to be; no ``scopes``: all that its role may."""

    name: Text
    role: Literal["integration", "operations", "site-operator"] = "integration"
    site: Label | None = None
    scopes: list[Permission] = []
    days: Days = 90


class TokenView(msgspec.Struct, frozen=True):
    """A token; never its text."""

    id: UUID
    name: str
    role: Role
    site: str | None
    scopes: list[Permission]
    made_by: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenIssued(msgspec.Struct, frozen=True):
    """A new token, and its text, shown this once."""

    token: TokenView
    text: str


class TokenRoutes:
    """Tokens over HTTP. ``has_site`` says whether a site is known."""

    def __init__(self, tokens: Tokens, has_site: Callable[[str], bool]) -> None:
        self._tokens = tokens
        self._has_site = has_site

    def operations(self) -> list[AnyOperation]:
        """What can be done with tokens."""
        return [
            Operation(
                id="listTokens",
                method="GET",
                path="/tokens",
                tag="users",
                summary_zh="机器令牌列表",
                summary_en="Machines' tokens, revoked and expired ones too",
                permission=Permission.USERS_READ,
                work=Work.LIST,
                query_shape=PageQuery,
                answer=Page[TokenView],
                run=self._list,
            ),
            Operation(
                id="issueToken",
                method="POST",
                path="/tokens",
                tag="users",
                summary_zh="签发机器令牌；只显示一次",
                summary_en="Issue a machine's token; its text is shown this once",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                body_shape=TokenRequest,
                answer=TokenIssued,
                created=True,
                run=self._issue,
                reasons=(
                    Reason.NOT_FOUND,
                    Reason.ROLE_SITE,
                    Reason.TOKEN_SCOPE,
                    Reason.NAME_EMPTY,
                    Reason.NAME_CONTROL_CHARACTER,
                ),
            ),
            Operation(
                id="readToken",
                method="GET",
                path="/tokens/{token}",
                tag="users",
                summary_zh="读取一个机器令牌",
                summary_en="Read a machine's token",
                permission=Permission.USERS_READ,
                work=Work.POINT,
                path_shape=TokenPath,
                answer=TokenView,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="revokeToken",
                method="POST",
                path="/tokens/{token}/revoke",
                tag="users",
                summary_zh="吊销机器令牌，立即生效",
                summary_en="Take a machine's token back, at once",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                path_shape=TokenPath,
                answer=TokenView,
                run=self._revoke,
                reasons=(Reason.NOT_FOUND,),
            ),
        ]

    def _list(self, call: Call[Nothing, PageQuery, Any]) -> Page[TokenView]:
        found = self._tokens.list(call.query.text_key, call.query.limit)
        key = found[-1].id.encode() if found else b""
        following = build_cursor(key, len(found), call.query.limit)
        return Page([_view(token) for token in found], following)

    def _issue(self, call: Call[Nothing, Nothing, TokenRequest]) -> TokenIssued:
        body = call.body
        if body.site is not None and not self._has_site(body.site):
            raise Refused(Reason.NOT_FOUND, "site")
        new = NewToken(body.name, Role(body.role), body.site, frozenset(body.scopes), body.days)
        token, text = self._tokens.issue(new, call.at, call.principal.actor)
        return TokenIssued(_view(token), text)

    def _read(self, call: Call[TokenPath, Nothing, Any]) -> TokenView:
        return _view(self._tokens.read(str(call.path.token)))

    def _revoke(self, call: Call[TokenPath, Nothing, Any]) -> TokenView:
        return _view(self._tokens.revoke(str(call.path.token), call.at, call.principal.actor))


def _view(token: MachineToken) -> TokenView:
    return TokenView(
        id=UUID(token.id),
        name=token.name,
        role=token.role,
        site=token.site,
        scopes=sorted(token.scopes),
        made_by=token.made_by,
        made_at=token.made_at,
        ends_at=token.ends_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )
