"""A patient's phone: opens the one-time link as a thumb would, and shows its code to the scanner.

The browser that shows the demonstration gets the phone's cookie and so is the same phone.
"""

import json
import re

import zxingcpp
from PIL import Image, ImageDraw

from demo.http_calls import call, name_and_value
from demo.supervisor import StepError

_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1H\d+z")
_SIDE = re.compile(r'viewBox="0 0 (\d+) \1"')
_DOTS = 4
"""A scanner sees a module as so many dots."""


class Phone:
    """One phone and the page it has open. ``link`` is the page's address."""

    def __init__(self, link: str) -> None:
        self.link = link
        self.cookie = ""  # a Set-Cookie header; empty until the link is opened

    def open(self) -> None:
        """Press the button behind the link. Raises StepError."""
        answer = call("POST", self.link)
        if not answer.cookies:
            raise StepError(f"the patient's link answers {answer.status}")
        (self.cookie,) = answer.cookies

    def show_code(self) -> str:
        """A fresh code as the phone gets it, read off its picture. Raises StepError."""
        answer = call("POST", f"{self.link}/code", cookie=name_and_value(self.cookie))
        if answer.status != 200:
            raise StepError(f"the patient's page answers {answer.status}")
        found = zxingcpp.read_barcodes(draw_symbol(json.loads(answer.body)["picture"]))
        if len(found) != 1:
            raise StepError(f"the phone's picture holds {len(found)} readable codes")
        return found[0].text


def draw_symbol(svg: str) -> Image.Image:
    """The dots of a symbol that came as SVG: black runs of modules. Raises StepError."""
    side = _SIDE.search(svg)
    if side is None:
        raise StepError("the phone's picture is no symbol")
    picture = Image.new("L", (int(side[1]) * _DOTS,) * 2, 255)
    pen = ImageDraw.Draw(picture)
    for run in _RUN.finditer(svg):
        x, y, width = (int(number) * _DOTS for number in run.groups())
        pen.rectangle((x, y, x + width - 1, y + _DOTS - 1), 0)
    return picture
