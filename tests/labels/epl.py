"""An independent eye on EPL2 labels: a printer that knows graphics only, and prints a picture.

Shares no code with the product. Quoted is Zebra's support page on the GW command.
"""

import re
from collections.abc import Iterator

from PIL import Image

WHITE = 255

# "The correct syntax is GWp1,p2,p3,p4,DATA": left and top in dots, width in bytes, height in
# lines. "The graphic data consists of p3 * p4 binary bytes."
_GRAPHIC = re.compile(rb"GW(\d+),(\d+),(\d+),(\d+)(?:,|\r*\n)")
_LINE = re.compile(rb"([^\r\n]*)[\r\n]+")


def print_epl(data: bytes, width: int, height: int) -> Image.Image:
    """What comes out on paper of ``width`` × ``height`` dots, in grey. Asserts that exactly one
    label does."""
    picture = Image.new("L", (width, height), WHITE)
    prints = 0
    for command, graphic in _commands(data):
        if graphic is not None:
            left, top, image = graphic
            picture.paste(0, (left, top), image)
        elif command == b"N":
            picture.paste(WHITE, (0, 0, width, height))
        elif command.startswith(b"P"):
            prints += int(command[1:] or b"1")
    assert prints == 1
    return picture


def _commands(data: bytes) -> Iterator[tuple[bytes, tuple[int, int, Image.Image] | None]]:
    """Each command, a graphic as its place and a mask of its black dots."""
    at = 0
    while at < len(data):
        if found := _GRAPHIC.match(data, at):
            left, top, columns, lines = map(int, found.groups())
            at = found.end() + columns * lines
            # "In the binary data, a 1 = white dot and 0 = black dot." "The most significant bit
            # in each byte represents the left most dot."
            dots = bytes(~byte & 0xFF for byte in data[found.end() : at])
            yield b"GW", (left, top, Image.frombytes("1", (columns * 8, lines), dots))
        else:
            line = _LINE.match(data, at)
            assert line, data[at : at + 20]
            at = line.end()
            yield line[1], None
