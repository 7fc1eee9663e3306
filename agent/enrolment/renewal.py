"""Keeps the box's certificate good: a new key and certificate before the old one ends, or after.

Proof of the old key is all it takes, so a box that lay in a cupboard for a year comes back with its
name, queue and chain. ``box.pem`` is replaced by one rename; a cut leaves the old or the new one.
What central refuses is said once, in words; the box goes on with what it has.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.config import BoxConfig, BoxFiles
from agent.enrolment.alone import alone
from agent.enrolment.states import Edge, Observe, ignore
from agent.enrolment.validity import Validity, read_validity
from shared.backoff import Backoff
from shared.clock import Clock, to_microseconds
from shared.config import read_secret, replace_secret
from shared.errors import OneCodeError, Refused, Unavailable
from shared.exits import describe
from shared.reasons import Reason

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
_FIRST_RETRY_SECONDS = 10.0
_DRAFT = "renewal.key"


def renew(
    files: BoxFiles, config: BoxConfig, *, even_if_not_due: bool = False, observe: Observe = ignore
) -> Validity | None:
    """Renew the certificate; its new validity, or None when it was not due by central's time.

    Blocking. Raises Unavailable (CENTRE_UNREACHABLE, CONFIG_MISSING, STORE_UNAVAILABLE while
    another process is at it), Refused (CERTIFICATE_REVOKED, PROOF_WRONG and central's other
    reasons), NotAuthentic.
    """
    with alone(files):
        return _renew(files, config, even_if_not_due, observe)


def _renew(
    files: BoxFiles, config: BoxConfig, even_if_not_due: bool, observe: Observe
) -> Validity | None:
    from agent.enrolment.centre import Centre
    from agent.enrolment.certificates import build_csr, check_certificate, prove, split_identity
    from shared.joining import RenewRequest, renew_bytes

    if config.central is None or config.announcements is None:
        raise Unavailable(Reason.CONFIG_MISSING, "box.toml names no listener of central's")
    ca = _read_text(files.ca)
    identity = read_secret(files.certificate)
    certificate, old_key = split_identity(identity)
    validity = read_validity(certificate)
    centre = Centre(config.central, ca)
    at = centre.learn_time(bytes.fromhex(config.announcements))
    if not even_if_not_due and not validity.is_due(at):
        return None
    new_key = _keep_key(files, old_key)
    observe(Edge.RENEWAL_KEY_KEPT)
    csr, central_at = build_csr(new_key, config.box_id), to_microseconds(at)
    covered = renew_bytes(config.box, validity.serial, csr, central_at)
    answer = centre.renew(
        RenewRequest(config.box, validity.serial, csr, central_at, prove(old_key, covered))
    )
    observe(Edge.RENEWAL_ASKED)
    check_certificate(answer.certificate, new_key, ca, config.box_id, at)
    replace_secret(files.certificate, answer.certificate.encode() + new_key)
    observe(Edge.RENEWAL_INSTALLED)
    (files.enrolment / _DRAFT).unlink(missing_ok=True)
    return read_validity(answer.certificate.encode())


class Renewing:
    """Looks at the certificate at the start and every hour, for ever."""

    def __init__(
        self,
        files: BoxFiles,
        config: BoxConfig,
        clock: Clock,
        on_renewed: Callable[[], None],
    ) -> None:
        """``on_renewed`` is told when ``box.pem`` is another one: the line should take it."""
        self._files = files
        self._config = config
        self._clock = clock
        self._on_renewed = on_renewed
        self._retry = Backoff(_FIRST_RETRY_SECONDS, LOOK_SECONDS)
        self._told: Reason | None = None
        self._now = asyncio.Event()

    def look_now(self) -> None:
        """Something is known that was not at the last look: central's time, or that the broker
        takes the certificate for too old."""
        self._now.set()

    async def run(self) -> None:
        """Until cancelled. Raises Refused or Damaged only for the box's own files."""
        while True:
            self._now.clear()
            seconds = await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._now.wait()

    async def look(self) -> float:
        """Renew if it is due; how many seconds to wait before the next look."""
        validity = read_validity(await asyncio.to_thread(read_secret, self._files.certificate))
        now = self._clock.now()
        if validity.covers(now) and not validity.is_due(now):
            return LOOK_SECONDS
        try:
            renewed = await asyncio.to_thread(renew, self._files, self._config)
        except Unavailable as error:
            self._tell(error)
            return self._retry.next_seconds()
        except Refused as refusal:
            self._tell(refusal)
            return LOOK_SECONDS
        self._retry.reset()
        if renewed is None:
            self._tell(Refused(Reason.CLOCK_WRONG, "by central's time the certificate is good"))
            return LOOK_SECONDS
        self._told = None
        log.info("the certificate is renewed until %s", renewed.not_after.date())
        self._on_renewed()
        return LOOK_SECONDS

    def _tell(self, error: OneCodeError) -> None:
        """Once in words; the same again for engineers only."""
        level = logging.DEBUG if error.reason is self._told else logging.WARNING
        self._told = error.reason
        log.log(level, "the certificate was not renewed\n%s", describe(error))


def _keep_key(files: BoxFiles, old_key: bytes) -> bytes:
    """The next key: the one a cut renewal has asked for, else a new one, durable before it is
    asked for, so that an answer that was lost can come again."""
    from agent.enrolment.certificates import new_tls_key

    draft = files.enrolment / _DRAFT
    if draft.exists() and (kept := read_secret(draft)) != old_key:
        return kept
    key = new_tls_key()
    try:
        draft.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(draft.parent)) from error
    replace_secret(draft, key)
    return key


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(path)) from error
