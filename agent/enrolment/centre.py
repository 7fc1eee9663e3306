"""Central's listener for boxes, as a box calls it: HTTPS, and whom it believes.

First contact believes nothing but the authority whose fingerprint the invite names; from then on
that authority and the host's name are checked. A clock too wrong for that is mended by signed
time (CONTRACTS §6): who is called is then checked without the dates, asked for the time alone,
and from then on its dates are judged by that time, before anything else is sent.

Blocking; not for the event loop's thread.
"""

import http.client
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec

from agent.config import CentralAddress
from shared.clock import from_microseconds
from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic, Refused, Unavailable
from shared.joining import (
    CentreAnswer,
    Invite,
    JoinAnswer,
    JoinRequest,
    RenewAnswer,
    RenewRequest,
    TimeAnswer,
    time_bytes,
)
from shared.reasons import Reason

_PATH = "/box/v1/"
CALL_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_NONCE_BYTES = 16

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h); Python's ssl has no name for it."""
_WRONG_TIME = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h)."""

T = TypeVar("T")


class _Line(NamedTuple):
    """An open connection, and the certificate of who answers; the connection drops its socket with
    the last answer."""

    connection: http.client.HTTPSConnection
    peer: Mapping[str, Any]


class _Problem(msgspec.Struct):
    """The part of a problem document (RFC 9457) that is of use here."""

    reason: Reason
    detail: str = ""


class Centre:
    """One centre; a connection a call. Raises of every call: Unavailable (CENTRE_UNREACHABLE or
    central's own), NotAuthentic (CENTRE_NOT_EXPECTED), Refused with central's reason, Malformed.
    """

    def __init__(self, address: CentralAddress, ca: str, *, seconds: float = CALL_SECONDS) -> None:
        """``ca`` is the boxes' authority, PEM; ``seconds`` limits each wait. Raises Malformed."""
        self._address = address
        self._seconds = seconds
        self._ca = ca
        self._strict = _context(ca)
        self._central_at: datetime | None = None
        self._learnt_ns = 0

    @property
    def now(self) -> datetime | None:
        """Central's time, once it was learnt here."""
        if self._central_at is None:
            return None
        passed = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self._learnt_ns) // 1000
        return self._central_at + timedelta(microseconds=passed)

    def fetch_centre(self) -> CentreAnswer:
        """Who central is, from itself."""
        with self._connected(for_time=True) as line:
            return _exchange(line, "GET", "centre", CentreAnswer)

    def learn_time(self, announcements: bytes) -> datetime:
        """Central's time, signed for this question; later calls judge dates by it."""
        nonce = os.urandom(_NONCE_BYTES)
        with self._connected(for_time=True) as line:
            answer = _exchange(line, "GET", f"time?nonce={nonce.hex()}", TimeAnswer)
            if answer.nonce != nonce:
                raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "time for another question")
            signed = time_bytes(nonce, answer.central_at)
            STD.verify_key(announcements).verify(answer.signature, signed)
            self._central_at = from_microseconds(answer.central_at)
            self._learnt_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            self._judge_dates(line)
        return self._central_at

    def join(self, request: JoinRequest) -> JoinAnswer:
        """Use an invite."""
        with self._connected() as line:
            return _exchange(line, "POST", "join", JoinAnswer, request)

    def renew(self, request: RenewRequest) -> RenewAnswer:
        """A new certificate by proof of the old key."""
        with self._connected() as line:
            return _exchange(line, "POST", "renew", RenewAnswer, request)

    @contextmanager
    def _connected(self, *, for_time: bool = False) -> Iterator[_Line]:
        try:
            with _open(self._address, self._strict, self._seconds) as line:
                yield line
                return
        except _WrongTimeError:
            if not for_time and self._central_at is None:
                raise
        with _open(self._address, _context(self._ca, check_time=False), self._seconds) as line:
            if self._central_at is not None:
                self._judge_dates(line)
            yield line

    def _judge_dates(self, line: _Line) -> None:
        """Raises NotAuthentic unless host's and authority's certificates are good at that time."""
        assert self._central_at is not None
        for certificate in (line.peer, *self._strict.get_ca_certs()):
            begin, end = _validity(certificate)
            if not begin <= self._central_at <= end:
                raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "its certificate is out of date")


def fetch_authority(invite: Invite) -> str:
    """The boxes' authority, PEM, from whoever answers at the invite's address.

    Nothing else of that answer is used. Raises NotAuthentic (CENTRE_NOT_EXPECTED) when its
    fingerprint is not the invite's, Unavailable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _open(CentralAddress(invite.host, invite.port), context, CALL_SECONDS) as line:
            ca = _exchange(line, "GET", "centre", CentreAnswer).ca
    except Refused as error:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "it answers as no centre does") from error
    if certificate_digest(ca) != invite.ca_fingerprint:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "another authority")
    return ca


def certificate_digest(pem: str) -> bytes:
    """SHA-256 of the certificate's DER: what an invite names. Raises NotAuthentic for no PEM."""
    try:
        return STD.digest(ssl.PEM_cert_to_DER_cert(pem.strip()))
    except ValueError as error:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "no certificate") from error


class _WrongTimeError(NotAuthentic):
    """The other side would be believed at another time."""


def _context(ca: str, *, check_time: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise Malformed(Reason.CONFIG_MALFORMED, "central's authority") from error
    if not check_time:
        context.verify_flags |= _NO_CHECK_TIME
    return context


@contextmanager
def _open(address: CentralAddress, context: ssl.SSLContext, seconds: float) -> Iterator[_Line]:
    """A connection on which nothing was sent yet. The one place where what ssl, http.client and
    sockets raise becomes ours."""
    connection = http.client.HTTPSConnection(
        address.host, address.port, timeout=seconds, context=context
    )
    try:
        connection.connect()
        yield _Line(connection, connection.sock.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        wrong = _WrongTimeError if error.verify_code in _WRONG_TIME else NotAuthentic
        raise wrong(Reason.CENTRE_NOT_EXPECTED, error.verify_message) from error
    except (OSError, http.client.HTTPException) as error:  # ssl.SSLError is an OSError
        detail = f"{address.host}:{address.port}: {error}"
        raise Unavailable(Reason.CENTRE_UNREACHABLE, detail) from error
    finally:
        connection.close()


def _exchange(
    line: _Line,
    method: str,
    path: str,
    shape: type[T],
    body: msgspec.Struct | None = None,
) -> T:
    content = None if body is None else msgspec.json.encode(body)
    headers = {} if content is None else {"Content-Type": "application/json"}
    line.connection.request(method, _PATH + path, content, headers)
    response = line.connection.getresponse()
    answer = response.read(_MOST_BYTES)
    try:
        if response.status == http.client.OK:
            return msgspec.json.decode(answer, type=shape)
        problem = msgspec.json.decode(answer, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = f"HTTP {response.status}"
        if response.status >= http.client.INTERNAL_SERVER_ERROR:
            raise Unavailable(Reason.CENTRE_UNREACHABLE, detail) from error
        raise Malformed(Reason.MESSAGE_MALFORMED, detail) from error
    again = response.status == http.client.TOO_MANY_REQUESTS
    if again or response.status >= http.client.INTERNAL_SERVER_ERROR:
        raise Unavailable(problem.reason, problem.detail)
    raise Refused(problem.reason, problem.detail)


def _validity(certificate: Mapping[str, Any]) -> tuple[datetime, datetime]:
    begin, end = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate[key])), UTC)
        for key in ("notBefore", "notAfter")
    )
    return begin, end
