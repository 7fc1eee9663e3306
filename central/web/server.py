"""The web's listener: an application served on a port, and what is kept from holding it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from central.web.short_road import SHORT_ROAD
from shared.errors import Unavailable
from shared.reasons import Reason

_log = logging.getLogger(__name__)
_wire = logging.getLogger("central.web.wire")

_IDLE_SECONDS = 30.0
"""A connection that has not sent a whole head of a request by then is closed."""
_STOP_SECONDS = 3.0


def _leave_out_bytes(record: logging.LogRecord) -> bool:
    """What is no HTTP is refused by the library, which would log its bytes with a trace."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        record.msg, record.args = "refused what is no HTTP", ()
    return True


@asynccontextmanager
async def open_listener(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the block runs; the URL it is reached at. Port 0 is any free one.

    Raises Unavailable (PORT_BUSY).
    """
    _wire.addFilter(_leave_out_bytes)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_IDLE_SECONDS,
        lingering_time=1.0,
        auto_decompress=False,
        logger=_wire,
        shutdown_timeout=_STOP_SECONDS,
    )
    await runner.setup()
    assert isinstance(runner.server, web.Server)
    onward = cast(Handler, runner.server.request_handler)
    # The application makes the requests, so they are its own, not the base that the type says.
    runner.server.request_handler = cast(Any, app[SHORT_ROAD].lead(onward))
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise Unavailable(Reason.PORT_BUSY, f"{host}:{port}") from error
        bound = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{bound}"
        _log.info("web on %s", url)
        yield url
    finally:
        await runner.cleanup()
