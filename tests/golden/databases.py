"""Databases as former versions left them, frozen: ``databases/*.tar.xz``, never written anew.

``central-0008-box-0001``: a centre (schema 8) and its box (queue schema 1) of the same moment. The
box has created 19 rows: 11 settled (two of them parked at central), 6 pending, 2 given up with
their bodies erased; codes 0, 1 and 2 (tokens of 32 such bytes) are used up by its records.
"""

import tarfile
from pathlib import Path

from shared.ids import BoxId
from shared.ledger import Account

DATABASES = Path(__file__).parent / "databases"
BOX = BoxId("hospital-1", "box-1")
BOX_ACCOUNT = Account(19, 11, 6, 2)
CENTRAL_ACCOUNT = Account(11, 11, 0, 0)


def thaw(name: str, to: Path) -> Path:
    """Unpack one; its ``central`` and ``box`` lie below the folder that is given back."""
    with tarfile.open(DATABASES / f"{name}.tar.xz") as archive:
        archive.extractall(to, filter="data")
    return to


def list_names() -> list[str]:
    """Every frozen pair."""
    return sorted(path.name.removesuffix(".tar.xz") for path in DATABASES.glob("*.tar.xz"))
