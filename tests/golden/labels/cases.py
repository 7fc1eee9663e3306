"""The golden labels: every template in every language, a plain one and a full one, and each of
them for a temporary code too.

Their bytes lie beside, ``<case>.<printer's language>``, and as one picture ``<case>.png``, drawn
from the ZPL by the independent renderer. All people and hospitals are fictitious.
"""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image

from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.templates import TEMPLATES
from agent.ports import Label
from shared.crypto import STD
from shared.ehc import build_code, sign_temporary
from tests.agent.drivers.labels import make_label

LABELS = Path(__file__).parent
PRINTERS = tuple(PrinterLanguage)

_CONTENTS: dict[str, dict[str, Any]] = {
    "zh": {"language": "zh", "name": "电***卡"},
    "zh-full": {
        "language": "zh",
        "name": "阿卜杜热合曼·买买提江吐尔逊古丽·努尔麦麦提艾力依明阿迪力·玉素甫江木合塔",
        "site": "某某省某某自治州第一人民医院附属妇女儿童医疗中心东院区门诊部",
        "record_number": "ZYH-2026-0000000001",
        "copy": 2,
    },
    "en": {
        "language": "en",
        "name": "Ana M***",
        "site": "First People's Hospital of Model City",
    },
    "en-full": {
        "language": "en",
        "name": "Maria Magdalena Wolfeschlegelsteinhausen",
        "site": "First People's Hospital of Model City, Outpatients",
        "record_number": "ZYH-2026-0000000001",
        "copy": 12,
    },
}


_KEY = STD.signing_key(bytes(range(32)))


def _make(case: str, template: str, content: dict[str, Any]) -> Label:
    """Each label has a code of its own: no proof rests on one lucky symbol."""
    ehc_id = sha256(case.encode()).hexdigest().upper()
    return make_label(code=f"{ehc_id}:1", template=template, **content)


def _make_temporary(case: str, template: str, content: dict[str, Any]) -> Label:
    """The same resident's label of a box that is alone: no record number yet."""
    serial = int.from_bytes(sha256(case.encode()).digest()[:6], "big")
    code = build_code(sign_temporary(_KEY, 7, 1, serial))
    temporary = {**content, "record_number": "", "temporary": True}
    return make_label(code=code, template=template, **temporary)


CASES = {
    case: make(case, template, content)
    for template in TEMPLATES
    for kind, make in {"": _make, "-temporary": _make_temporary}.items()
    for name, content in _CONTENTS.items()
    for case in [f"{template}{kind}-{name}"]
}


def read_golden(case: str, language: PrinterLanguage) -> bytes:
    """What a printer of that language was sent."""
    return (LABELS / f"{case}.{language}").read_bytes()


def read_picture(case: str) -> Image.Image:
    """What then came out, in grey."""
    return Image.open(io.BytesIO((LABELS / f"{case}.png").read_bytes())).convert("L")


def media_mm(label: Label) -> tuple[int, int]:
    """Width and length of the paper, as its name says."""
    width, length = label.template.split("x")
    return int(width), int(length)
