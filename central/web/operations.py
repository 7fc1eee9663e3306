"""One operation of the API: the only definition of it, from which its route, its checks and its
part of the OpenAPI document are made. Knows no HTTP library.

A feature lists its operations in its ``routes.py``; ``central.web.api`` puts them together.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from central.users.principal import Principal
from central.users.roles import Permission
from shared.reasons import Reason

P = TypeVar("P", bound=msgspec.Struct)
Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No path parameters, no query, no body."""


NOTHING = Nothing()


class Work(Enum):
    """Where an operation's work is done."""

    POINT = "a read by key, in the loop itself"
    LIST = "a read that may take long, in the reader's thread"
    WRITE = "a unit of work, in the writer's thread"


class Call(Generic[P, Q, B]):
    """One request, parsed and allowed."""

    __slots__ = ("at", "body", "path", "prepared", "principal", "query")

    def __init__(self, path: P, query: Q, body: B, principal: Principal, at: datetime) -> None:
        self.path = path
        self.query = query
        self.body = body
        self.principal = principal
        self.at = at
        self.prepared: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P, Q, B]):
    """``run`` gets the call and gives an ``answer``; a WRITE runs as one unit of work.

    ``current`` is the state that a change starts from, as the operation that reads it answers
    it: what If-Match is compared with. ``reasons`` are the refusals that are this operation's own;
    what any operation may answer is not repeated. ``created`` makes the answer 201. ``prepare``
    does before a WRITE, in the loop, what takes longer than a unit may: ``call.prepared``.
    """

    id: str
    method: str
    path: str  # below the API's root, with {names} of ``path_shape``'s fields
    tag: str
    summary_zh: str
    summary_en: str
    permission: Permission
    work: Work
    answer: Any
    run: Callable[[Call[P, Q, B]], Any]
    path_shape: type[P] = Nothing  # type: ignore[assignment] # none of its own
    query_shape: type[Q] = Nothing  # type: ignore[assignment] # as above
    body_shape: Any = None
    current: Callable[[Call[P, Q, B]], Any] | None = None
    reasons: tuple[Reason, ...] = ()
    created: bool = False
    prepare: Callable[[Call[P, Q, B]], Awaitable[Any]] | None = None


AnyOperation = Operation[Any, Any, Any]
