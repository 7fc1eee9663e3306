"""Where boxes join: what an invite says of central's listener, read from central's files."""

from dataclasses import dataclass

from central.config import CentralConfig, CentralFiles
from central.fleet.certificates import read_facts
from shared.errors import Damaged, Malformed, Unavailable
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class Door:
    """Where boxes join, and the authority they will believe there (SHA-256 of its DER)."""

    host: str
    port: int
    ca_fingerprint: bytes


def read_door(files: CentralFiles, config: CentralConfig) -> Door:
    """Raises Unavailable (CONFIG_MISSING), Damaged, Malformed where the port is any free one."""
    if config.web.box_port == 0:
        raise Malformed(Reason.CONFIG_MALFORMED, "web.box_port: an invite names it, so fix it")
    try:
        facts = read_facts(files.box_ca.read_bytes())
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(files.box_ca)) from error
    except ValueError as error:
        raise Damaged(Reason.STORE_DAMAGED, str(files.box_ca)) from error
    return Door(config.broker.host, config.web.box_port, facts.fingerprint)


def format_fingerprint(fingerprint: bytes) -> str:
    """As people compare it: pairs of hex digits in groups of eight."""
    text = fingerprint.hex().upper()
    return " ".join(text[at : at + 8] for at in range(0, len(text), 8))
