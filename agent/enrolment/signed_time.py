"""Central's signed time for a box that has joined: the one thing that is asked of central's
listener with a clock too wrong for TLS (CONTRACTS §6). Blocking.
"""

from agent.config import BoxConfig, BoxFiles
from shared.clock import Clock, ClockOffset, measure_offset
from shared.errors import Unavailable
from shared.reasons import Reason


def fetch_offset(config: BoxConfig, files: BoxFiles, clock: Clock, seconds: float) -> ClockOffset:
    """How far central's clock is ahead of ours; ``seconds`` limits each wait.

    Raises Unavailable (CONFIG_MISSING, CENTRE_UNREACHABLE), NotAuthentic, Refused.
    """
    from agent.enrolment.centre import Centre

    if config.central is None or config.announcements is None:
        raise Unavailable(Reason.CONFIG_MISSING, "central's listener is not configured")
    try:
        ca = files.ca.read_text()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(files.ca)) from error
    centre = Centre(config.central, ca, seconds=seconds)
    asked_at = clock.now()
    central_at = centre.learn_time(bytes.fromhex(config.announcements))
    return measure_offset(asked_at, clock.now(), central_at)
