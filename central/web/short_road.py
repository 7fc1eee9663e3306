"""A short road for reads of one thing by its id: straight from the connection to their endpoint.

The HTTP library's way there (its router and its chain of middleware) costs more than the read
itself (measured: docs/adr/0009). The guard is the same, and all that is not such a read goes on
by the library's own way.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from central.web.guard import Guard
from central.web.routing import Access

_UUID_CHARACTERS = 36


class ShortRoad:
    """Leads GETs of ``<prefix>/<UUID>`` to the handler that was added for the prefix."""

    def __init__(self, guard: Guard) -> None:
        self._protect = guard.protect
        self._ends: dict[str, tuple[Access, Handler]] = {}

    def add(self, prefix: str, access: Access, handler: Handler) -> None:
        """Handlers find the id as what follows the last slash."""
        self._ends[prefix] = (access, handler)

    def lead(self, onward: Handler) -> Handler:
        """A handler of everything; ``onward`` gets what does not end here."""

        async def take(request: web.Request) -> web.StreamResponse:
            if request.method == "GET":
                prefix, _, id = request.raw_path.rpartition("/")
                end = self._ends.get(prefix)
                if end is not None and len(id) == _UUID_CHARACTERS:
                    return await self._protect(request, *end)
            return await onward(request)

        return take


SHORT_ROAD = web.AppKey("short_road", ShortRoad)
