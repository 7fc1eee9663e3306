"""From when until when a certificate is good, and its serial, read from its DER by hand.

The library that reads certificates costs 1.3 MiB (measured) of the box's 80, for three fields that
the running box looks at once an hour. Nothing is verified here: it is the box's own certificate.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import Malformed
from shared.reasons import Reason

_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_FORMATS = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
"""RFC 5280 §4.1.2.5: UTCTime until 2049, and both always in Zulu with seconds."""
_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Validity:
    """Serial in hex as X.509 tools show it; times in UTC."""

    serial: str
    not_before: datetime
    not_after: datetime

    def is_due(self, at: datetime) -> bool:
        """Whether less than a third of its life remains, or none."""
        return self.not_after - at < (self.not_after - self.not_before) / 3

    def covers(self, at: datetime) -> bool:
        """Whether it is good at this time."""
        return self.not_before <= at <= self.not_after

    def left(self, at: datetime) -> timedelta:
        """How long it is still good; negative when it is over."""
        return self.not_after - at


def read_validity(pem: bytes) -> Validity:
    """Of the first certificate in a PEM. Raises Malformed (KEY_MALFORMED)."""
    try:
        text = pem.decode("ascii")
        certificate = text[text.index("-----BEGIN CERTIFICATE") : text.index(_END) + len(_END)]
        return _read(ssl.PEM_cert_to_DER_cert(certificate))
    except (ValueError, IndexError) as error:
        raise Malformed(Reason.KEY_MALFORMED, "certificate") from error


def _read(der: bytes) -> Validity:
    """RFC 5280 §4.1: Certificate { tbs { [0] version, serial, algorithm, issuer, validity …."""
    tag, content, _ = _element(der)
    tag, tbs, _ = _element(content)
    tag, value, rest = _element(tbs)
    if tag == _VERSION:
        tag, value, rest = _element(rest)
    if tag != _INTEGER:
        raise ValueError("no serial")
    _, _, rest = _element(rest)
    _, _, rest = _element(rest)
    tag, validity, _ = _element(rest)
    if tag != _SEQUENCE:
        raise ValueError("no validity")
    begin_tag, begin, rest = _element(validity)
    end_tag, end, _ = _element(rest)
    serial = f"{int.from_bytes(value, 'big'):x}"
    return Validity(serial, _time(begin_tag, begin), _time(end_tag, end))


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what follows (X.690 §8.1)."""
    tag, length, at = der[0], der[1], 2
    if length & 0x80:
        at = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:at], "big")
    return tag, der[at : at + length], der[at + length :]


def _time(tag: int, value: bytes) -> datetime:
    if tag not in _FORMATS:
        raise ValueError("no time")
    return datetime.strptime(value.decode("ascii"), _FORMATS[tag]).replace(tzinfo=UTC)
