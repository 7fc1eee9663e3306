"""The list of revoked certificates: made from the fleet's table, kept in the broker's file.

The table is right and the file a copy: at each look the two are compared. An older list put back
is seen, written over, and stands in the audit; meanwhile the plugin gives a revoked box no topic.
Which process the broker is, its pid file says; where central may not signal it, whoever watches
the file reloads it (``systemd/``).
"""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from central.audit.service import Audit
from central.config import CentralFiles
from central.fleet import certificate_store
from central.fleet.certificate_store import KeptList
from central.fleet.certificates import LIST_DAYS, read_authority
from shared.config import replace_file
from shared.errors import Unavailable
from shared.reasons import Reason

_log = logging.getLogger(__name__)

_BROKER = "mosquitto"
_PROCESSES = Path("/proc")


class RevocationList:
    """Keeps the broker's copy in step with the table.

    ``look`` runs inside a unit of work; ``publish`` outside, once the unit is durable.
    """

    def __init__(self, files: CentralFiles, audit: Audit) -> None:
        self._files = files
        self._audit = audit
        self._reported: bytes | None = None

    def look(self, at: datetime) -> KeptList | None:
        """Make a new list where one is due; what must be published, or None.

        Raises Unavailable (the authority's key is not there), Refused, Damaged.
        """
        kept = certificate_store.find_list()
        if kept is None or certificate_store.is_unlisted() or _is_old(kept, at):
            return self._make(kept.number + 1 if kept else 1, at)
        found = self._read_file()
        if found == kept.pem:
            return None
        if kept.written == kept.number and found != self._reported:
            number = read_number(found)
            _log.warning(
                "the broker's list of revoked certificates was number %s, not %d: put back",
                number,
                kept.number,
            )
            self._audit.write(
                "revocation-list.put-back", "broker", "central", at, found=number, kept=kept.number
            )
            self._reported = found  # once, however long it cannot be written over
        return kept

    def publish(self, kept: KeptList) -> bool:
        """Write the file and tell the broker; whether it was told. Raises Unavailable (disk)."""
        replace_file(self._files.revoked, kept.pem)
        return tell_broker(self._files.broker_pid)

    def note_written(self, kept: KeptList) -> None:
        """Remember, inside a unit, that this list stands in its file."""
        self._reported = None
        if kept.written != kept.number:
            certificate_store.save_written(kept.number)

    def keep(self, unit: Callable[[], AbstractContextManager[None]], at: datetime) -> bool:
        """All of it at once, for a command; whether a running broker was told of a new file."""
        with unit():
            kept = self.look(at)
        if kept is None:
            return False
        told = self.publish(kept)
        with unit():
            self.note_written(kept)
        return told

    def _make(self, number: int, at: datetime) -> KeptList:
        authority = read_authority(self._files.box_ca, self._files.box_ca_key)
        revoked = certificate_store.list_revoked(at)
        pem = authority.build_revocation_list(number, revoked, at)
        certificate_store.save_list(number, pem, at)
        self._audit.write(
            "revocation-list.make",
            "broker",
            "central",
            at,
            number=number,
            certificates=len(revoked),
        )
        return KeptList(number, at, pem, 0)

    def _read_file(self) -> bytes:
        try:
            return self._files.revoked.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(self._files.revoked)) from error


def tell_broker(pid_file: Path) -> bool:
    """Let the running broker read its files anew (SIGHUP); False where there is none, or none of
    ours to signal."""
    try:
        pid = int(pid_file.read_text())
        # A file left behind may name a process that is no broker: SIGHUP would end it.
        if (_PROCESSES / str(pid) / "comm").read_text().strip() != _BROKER:
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def read_number(pem: bytes) -> int | None:
    """The number of a list; None for what is none."""
    try:
        extensions = x509.load_pem_x509_crl(pem).extensions
        return extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound):
        return None


def _is_old(kept: KeptList, at: datetime) -> bool:
    return at - kept.made_at > timedelta(days=LIST_DAYS / 2)
