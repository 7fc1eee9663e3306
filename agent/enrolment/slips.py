"""What an installation slip says: that the box has joined, or exactly what to do. Pure.

Chinese first, English beside it, in characters that every CJK font has; times are the counter's
local day.
"""

from datetime import datetime, timedelta

from agent.enrolment.drafts import Joined
from agent.ports import Slip
from shared.clock import from_microseconds
from shared.errors import OneCodeError
from shared.ids import new_record_id
from shared.reasons import Reason

GRAVE = timedelta(minutes=2)
"""A clock further off than this is named."""


def build_joined_slip(joined: Joined, at: datetime) -> Slip:
    """The box has joined."""
    day = from_microseconds(joined.joined_at).astimezone().date()
    lines = [
        f"✓ 已入网 OK  {joined.box}",
        f"{joined.site_name}  {joined.counter}",
        f"入网日期 joined {day.isoformat()}",
        f"证书有效期至 certificate until {joined.until.astimezone().date().isoformat()}",
    ]
    if abs(joined.clock_ahead) > GRAVE:
        words = Reason.CLOCK_WRONG.words
        lines += [f"！{words.zh}。{words.next_zh}。", f"{words.en}. {words.next_en}."]
    return Slip(new_record_id(at), tuple(lines))


def build_refused_slip(error: OneCodeError, at: datetime) -> Slip:
    """It has not; what happened, and the one thing to do now."""
    words = error.reason.words
    lines = (
        f"× {error.reason}",
        f"{words.zh}。",
        f"→{words.next_zh}。",
        f"{words.en}.",
        f"→{words.next_en}.",
        *([error.detail] if error.detail else []),
    )
    return Slip(new_record_id(at), lines)
