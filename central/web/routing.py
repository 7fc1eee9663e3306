"""Routes and who may use them: one table, so that no route is open by being forgotten.

A feature that brings pages adds them with ``Routes.add``; operations of the API come by themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from central.users.principal import Principal, Session
from central.users.roles import Permission
from central.web.problems import Problem

PRINCIPAL = web.RequestKey("principal", Principal)
SESSION = web.RequestKey("session", Session)
ADDRESS = web.RequestKey("address", str)
"""Where a request comes from; every handler finds it."""

OnProblem = Callable[[web.Request, Problem], web.StreamResponse]
"""Shows a refusal as a page instead of a problem document."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in. ``cost`` is what one request takes of an address's bucket: more where a
    secret may be guessed. ``by_itself`` marks what a page asks without a person. A handler finds
    its principal in ``request[PRINCIPAL]``, and a browser's in ``request[SESSION]`` too; both
    are there unless it is ``public``."""

    permission: Permission | None = None  # None: whoever is signed in
    public: bool = False
    cost: float = 1.0
    by_itself: bool = False
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    on_problem: OnProblem | None = None
    path: str = ""  # as it was added, for the log


class Routes:
    """Adds routes to an application and keeps who may use each."""

    def __init__(self, app: web.Application, page_headers: CIMultiDict[str]) -> None:
        self._app = app
        self._page_headers = page_headers
        self.accesses: dict[Handler, Access] = {}

    def add(self, method: str, path: str, handler: Handler, access: Access) -> None:
        """One route; ``handler`` serves it alone."""
        if handler in self.accesses:
            raise ValueError(f"{handler} has a route already")
        self._app.router.add_route(method, path, handler)
        self.accesses[handler] = replace(access, path=path)

    def add_page(  # noqa: PLR0913 - what a page is known by
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        permission: Permission | None = None,
        public: bool = False,
        cost: float = 1.0,
        by_itself: bool = False,
        on_problem: OnProblem | None = None,
    ) -> None:
        """A route whose answers a browser shows."""
        access = Access(permission, public, cost, by_itself, self._page_headers, on_problem)
        self.add(method, path, handler, access)

    def add_static(self, prefix: str, folder: Path) -> None:
        """Files for everybody, as they lie in ``folder``; links out of it are not followed.

        A browser keeps them and asks each time whether they have changed (their ETag): after an
        upgrade no new page meets an old script.
        """
        resource = self._app.router.add_static(prefix, folder)
        headers = self._page_headers.copy()
        headers["Cache-Control"] = "no-cache"
        access = Access(public=True, cost=0.1, headers=headers, path=prefix)
        for route in resource:
            self.accesses[route.handler] = access
