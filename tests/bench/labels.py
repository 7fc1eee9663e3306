"""How long a label takes from its document to the bytes for the printer, Chinese text included.

Each label is another person's, so symbol, name and number are new; site, caption and date stay,
as at a counter. The first label, which loads the font, is shown by itself. The anchor
is Pillow alone drawing the same characters on one bitmap of the label's size, symbol and bytes
left out. Needs only the box's packages.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from PIL import Image, ImageDraw, ImageFont

from agent.drivers.encoder import LabelEncoder
from agent.drivers.fonts import find_font
from agent.drivers.templates import TEMPLATES
from agent.ports import Label
from shared.ids import new_record_id
from tests.bench.table import Figure, median, run, shown, value_at_most

LABELS = 200
BAR_MS = 15
NAME_SIZE = 38
FIRST_IDEOGRAPH = 0x4E00


def measure() -> list[Figure]:
    """One template after the other; the bar is for 50 × 30 mm."""
    figures = []
    for template in TEMPLATES:
        encoder = LabelEncoder()
        first, *later = [_time_label(encoder, label) for label in _labels(template)]
        if template == "50x30":
            figures.append(shown("first label → bytes", first, "ms"))
            name = f"label {template} → bytes, p50"
            figures.append(value_at_most(name, median(later), "ms", BAR_MS, _time_pillow()))
        else:
            figures.append(shown(f"label {template} → bytes, p50", median(later), "ms"))
    return figures


def _labels(template: str) -> Iterator[Label]:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    for number in range(LABELS + 1):
        ehc_id = sha256(number.to_bytes(4, "big")).hexdigest().upper()
        yield Label(
            id=new_record_id(at),
            code=f"{ehc_id}:1",
            name=_name(number),
            record_number=f"M{number:08}",
            site="示范市第一人民医院",
            date=at.date().isoformat(),
            template=template,
        )


def _name(number: int) -> str:
    return f"{chr(FIRST_IDEOGRAPH + 7 * number)}*{chr(FIRST_IDEOGRAPH + 11 * number + 3)}"


def _time_label(encoder: LabelEncoder, label: Label) -> float:
    begun = time.perf_counter()
    encoder.encode(label)
    return (time.perf_counter() - begun) * 1000


def _time_pillow() -> float:
    """Milliseconds of Pillow for a name on a bitmap of 400 × 240 dots, p50."""
    path, face = find_font()
    font = ImageFont.truetype(path, NAME_SIZE, face)
    taken = []
    for number in range(LABELS):
        begun = time.perf_counter()
        image = Image.new("1", (400, 240))
        ImageDraw.Draw(image).text((0, 0), _name(number), fill=1, font=font)
        image.tobytes()
        taken.append((time.perf_counter() - begun) * 1000)
    return median(taken)


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
