"""Where the box's CJK font is. Looks at files only; who draws with it is ``raster``."""

from pathlib import Path
from typing import NamedTuple

from shared.errors import Unavailable
from shared.reasons import Reason


class FontFile(NamedTuple):
    """A font file and the face in it."""

    path: Path
    face: int


SYSTEM_FONTS = (
    # fonts-noto-cjk: one collection of ten faces; the third is Noto Sans CJK SC, whose forms are
    # those of the mainland.
    FontFile(Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"), 2),
    # fonts-wqy-microhei, fonts-wqy-zenhei
    FontFile(Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"), 0),
    FontFile(Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"), 0),
)
"""The fonts of Debian's packages, best first."""


def find_font(configured: str = "") -> FontFile:
    """The configured font file, or the system's. Raises Unavailable(FONT_MISSING)."""
    fonts = (FontFile(Path(configured), 0),) if configured else SYSTEM_FONTS
    for font in fonts:
        if font.path.is_file():
            return font
    detail = "the configured font file is not there" if configured else "install fonts-noto-cjk"
    raise Unavailable(Reason.FONT_MISSING, detail)
