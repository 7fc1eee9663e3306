"""The API put together: every feature's operations, below one root."""

from central.app import Central
from central.cards.routes import CardRoutes
from central.web.operations import AnyOperation

ROOT = "/api/v1"


def list_operations(central: Central) -> list[AnyOperation]:
    """Every operation there is."""
    return [*CardRoutes(central.cards).operations()]
