"""The API's operations on users: for the security administrator, and for oneself.

Administrators cannot be made or changed over the API at all: its schema knows no such role.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from central.users.credentials import new_password, new_pin
from central.users.hashing import Hashing
from central.users.roles import Permission, Role
from central.users.service import Users
from central.users.user import NewUser, User, UserState
from central.web.fields import Label, Page, PageQuery, Text, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.errors import Refused
from shared.reasons import Reason

Login = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$", max_length=64)
]
GivenRole = Literal["operations", "site-operator", "clerk", "technician"]
_CHANGE_REASONS = (Reason.NOT_FOUND, Reason.REQUEST_NOT_ALLOWED)
_NAME_REASONS = (Reason.NAME_EMPTY, Reason.NAME_CONTROL_CHARACTER)


class UserPath(msgspec.Struct, frozen=True):
    """A user."""

    user: UUID


class UserQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which users."""

    site: Label | None = None
    role: Role | None = None


class UserRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be made a user; clerks, technicians and site operators have a site."""

    login: Login
    name: Text
    role: GivenRole
    site: Label | None = None
    language: Literal["zh", "en"] = "zh"


class PlaceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another role or site."""

    role: GivenRole
    site: Label | None = None


class UserView(msgspec.Struct, frozen=True):
    """A user; no secret of theirs."""

    id: UUID
    login: str
    name: str
    role: Role
    site: str | None
    state: UserState
    language: str
    second_factor: bool
    badge: bool
    made_at: datetime


class UserMade(msgspec.Struct, frozen=True):
    """A new user, and the password for their first sign-in, shown this once."""

    user: UserView
    password: str


class GivenPassword(msgspec.Struct, frozen=True):
    """A password for one sign-in, shown this once."""

    password: str


class GivenBadge(msgspec.Struct, frozen=True):
    """The text of a badge's symbol, and the PIN that goes with it, shown this once."""

    badge: str
    pin: str


class Oneself(msgspec.Struct, frozen=True):
    """Whoever asks."""

    id: UUID
    name: str
    kind: Literal["user", "token"]
    role: Role
    site: str | None
    permissions: list[Permission]


class UserRoutes:
    """Users over HTTP. ``has_site`` says whether a site is known."""

    def __init__(self, users: Users, has_site: Callable[[str], bool], hashing: Hashing) -> None:
        self._users = users
        self._has_site = has_site
        self._hashing = hashing

    def operations(self) -> list[AnyOperation]:
        """What can be done with users."""
        return [
            Operation(
                id="readOneself",
                method="GET",
                path="/self",
                tag="users",
                summary_zh="我是谁，能做什么",
                summary_en="Who asks, and what they may do",
                permission=Permission.ACCOUNT_READ,
                work=Work.POINT,
                answer=Oneself,
                run=self._read_oneself,
            ),
            Operation(
                id="listUsers",
                method="GET",
                path="/users",
                tag="users",
                summary_zh="用户列表",
                summary_en="Users in the order they were made",
                permission=Permission.USERS_READ,
                work=Work.LIST,
                query_shape=UserQuery,
                answer=Page[UserView],
                run=self._list,
            ),
            Operation(
                id="addUser",
                method="POST",
                path="/users",
                tag="users",
                summary_zh="新建用户；一次性密码只显示一次",
                summary_en="Make a user; the password is shown this once",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                body_shape=UserRequest,
                answer=UserMade,
                created=True,
                prepare=self._draw_password,
                run=self._add,
                reasons=(
                    Reason.ALREADY_EXISTS,
                    Reason.NOT_FOUND,
                    Reason.ROLE_SITE,
                    *_NAME_REASONS,
                ),
            ),
            Operation(
                id="readUser",
                method="GET",
                path="/users/{user}",
                tag="users",
                summary_zh="读取一个用户",
                summary_en="Read a user",
                permission=Permission.USERS_READ,
                work=Work.POINT,
                path_shape=UserPath,
                answer=UserView,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="placeUser",
                method="PUT",
                path="/users/{user}/place",
                tag="users",
                summary_zh="更换角色或院区；会结束该用户的登录",
                summary_en="Give another role or site; ends the user's sessions",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                path_shape=UserPath,
                body_shape=PlaceRequest,
                answer=UserView,
                current=self._read,
                run=self._place,
                reasons=(*_CHANGE_REASONS, Reason.ROLE_SITE),
            ),
            self._act("disableUser", "disable", "停用用户", "Disable a user", self._disable),
            self._act("enableUser", "enable", "启用用户", "Enable a user", self._enable),
            self._act("unlockUser", "unlock", "解除锁定", "Forget failed tries", self._unlock),
            self._act(
                "resetSecondFactor",
                "second-factor/reset",
                "取消丢失的验证器",
                "Take away a lost second factor",
                self._reset_second_factor,
            ),
            self._act(
                "takeBadge", "badge/take", "收回工牌", "Take a lost badge away", self._take_badge
            ),
            Operation(
                id="resetPassword",
                method="POST",
                path="/users/{user}/password",
                tag="users",
                summary_zh="重设密码；一次性密码只显示一次",
                summary_en="A password for one sign-in, shown this once",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                path_shape=UserPath,
                answer=GivenPassword,
                prepare=self._draw_password,
                run=self._reset_password,
                reasons=_CHANGE_REASONS,
            ),
            Operation(
                id="giveBadge",
                method="POST",
                path="/users/{user}/badge",
                tag="users",
                summary_zh="发放新工牌和 PIN，只显示一次",
                summary_en="A new badge and PIN for an operator of boxes, shown this once",
                permission=Permission.USERS_WRITE,
                work=Work.WRITE,
                path_shape=UserPath,
                answer=GivenBadge,
                prepare=self._draw_pin,
                run=self._give_badge,
                reasons=_CHANGE_REASONS,
            ),
        ]

    def _act(
        self, id: str, path: str, zh: str, en: str, run: Callable[[Call[Any, Any, Any]], UserView]
    ) -> AnyOperation:
        return Operation(
            id=id,
            method="POST",
            path=f"/users/{{user}}/{path}",
            tag="users",
            summary_zh=zh,
            summary_en=en,
            permission=Permission.USERS_WRITE,
            work=Work.WRITE,
            path_shape=UserPath,
            answer=UserView,
            run=run,
            reasons=_CHANGE_REASONS,
        )

    def _read_oneself(self, call: Call[Nothing, Nothing, Any]) -> Oneself:
        asks = call.principal
        permissions = sorted(asks.permissions)
        return Oneself(UUID(asks.id), asks.name, asks.kind, asks.role, asks.site, permissions)

    def _list(self, call: Call[Nothing, UserQuery, Any]) -> Page[UserView]:
        query = call.query
        found = self._users.list(query.text_key, query.limit, query.site, query.role)
        key = found[-1].id.encode() if found else b""
        following = build_cursor(key, len(found), query.limit)
        return Page([_view(user) for user in found], following)

    def _read(self, call: Call[UserPath, Any, Any]) -> UserView:
        return _view(self._users.read(str(call.path.user)))

    async def _draw_password(self, _: Call[Any, Any, Any]) -> tuple[str, str]:
        password = new_password()
        return password, await self._hashing.hash(password)

    async def _draw_pin(self, _: Call[Any, Any, Any]) -> tuple[str, str]:
        pin = new_pin()
        return pin, await self._hashing.hash(pin)

    def _add(self, call: Call[Nothing, Nothing, UserRequest]) -> UserMade:
        body = call.body
        self._check_site(body.site)
        new = NewUser(body.login, body.name, Role(body.role), body.site, body.language)
        password, phc = call.prepared
        user = self._users.add(new, phc, call.at, call.principal.actor)
        return UserMade(_view(user), password)

    def _place(self, call: Call[UserPath, Nothing, PlaceRequest]) -> UserView:
        role, site = Role(call.body.role), call.body.site
        self._check_site(site)
        id = str(call.path.user)
        return _view(self._users.change(id, role, site, call.at, call.principal.actor))

    def _disable(self, call: Call[UserPath, Nothing, Any]) -> UserView:
        return self._set_state(call, UserState.DISABLED)

    def _enable(self, call: Call[UserPath, Nothing, Any]) -> UserView:
        return self._set_state(call, UserState.ACTIVE)

    def _set_state(self, call: Call[UserPath, Nothing, Any], state: UserState) -> UserView:
        id = str(call.path.user)
        return _view(self._users.set_state(id, state, call.at, call.principal.actor))

    def _unlock(self, call: Call[UserPath, Nothing, Any]) -> UserView:
        return _view(self._users.unlock(str(call.path.user), call.at, call.principal.actor))

    def _reset_second_factor(self, call: Call[UserPath, Nothing, Any]) -> UserView:
        id = str(call.path.user)
        return _view(self._users.reset_second_factor(id, call.at, call.principal.actor))

    def _take_badge(self, call: Call[UserPath, Nothing, Any]) -> UserView:
        return _view(self._users.take_badge(str(call.path.user), call.at, call.principal.actor))

    def _reset_password(self, call: Call[UserPath, Nothing, Any]) -> GivenPassword:
        password, phc = call.prepared
        id = str(call.path.user)
        self._users.reset_password(id, phc, call.at, call.principal.actor)
        return GivenPassword(password)

    def _give_badge(self, call: Call[UserPath, Nothing, Any]) -> GivenBadge:
        pin, phc = call.prepared
        id, actor = str(call.path.user), call.principal.actor
        badge = self._users.give_badge(id, call.at, actor)
        self._users.set_pin(id, phc, call.at, actor)
        return GivenBadge(badge, pin)

    def _check_site(self, site: str | None) -> None:
        if site is not None and not self._has_site(site):
            raise Refused(Reason.NOT_FOUND, "site")


def _view(user: User) -> UserView:
    return UserView(
        id=UUID(user.id),
        login=user.login,
        name=user.name,
        role=user.role,
        site=user.site,
        state=user.state,
        language=user.language,
        second_factor=user.second_factor,
        badge=user.badge,
        made_at=user.made_at,
    )
