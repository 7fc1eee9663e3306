"""Whether the box has joined, its configuration can be read, and its secrets lie closed."""

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.config import read_box_config
from agent.enrolment.at_rest import secrets_at_rest
from shared.config import read_secret
from shared.errors import OneCodeError
from shared.reasons import Reason


async def look_at_configuration(box: Box) -> list[Finding]:
    """``configuration``: box.toml."""
    try:
        config = read_box_config(box.files)
    except OneCodeError as error:
        return [failed("configuration", error)]
    return [held("configuration", f"{config.box}, {config.counter}")]


async def look_at_secrets(box: Box) -> list[Finding]:
    """``secrets``: each is there, closed to others, and sealed where the machine can."""
    if box.config is None:
        return []
    try:
        standing = secrets_at_rest(box.files)
        for path in (box.files.certificate, box.files.signing_key, box.files.pair_key):
            if path.name not in standing.sealed:
                read_secret(path)  # that it is there, and its mode
    except OneCodeError as error:
        return [failed("secrets", error)]
    if standing.open:
        return [warn("secrets", Reason.SECRETS_BARE, ", ".join(standing.open))]
    return [held("secrets")]
