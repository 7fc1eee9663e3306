"""Whether Chinese can be printed."""

from agent.checks.finding import Box, Finding, failed, held
from agent.drivers.fonts import find_font
from shared.errors import Unavailable


async def look_at_fonts(box: Box) -> list[Finding]:
    """``fonts``."""
    try:
        font = find_font(box.config.font if box.config else "")
    except Unavailable as error:
        return [failed("fonts", error)]
    return [held("fonts", font.path.name)]
