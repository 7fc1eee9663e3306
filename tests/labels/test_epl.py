"""The EPL2 eye itself, on the example that Zebra gives for the GW command."""

from PIL import ImageChops

from tests.labels.epl import print_epl

BOX = (
    b"N\r\nGW100,100,2,16," + bytes(2) + b"\x7f\xfe" * 14 + bytes(2) + b"P\r\n\r\n"
)  # "It draws a 16x16 dot box at coordinates 100,100."


def test_zebras_own_example_is_a_box() -> None:
    """A frame of one black dot, white inside."""
    picture = print_epl(BOX, 400, 240)
    assert ImageChops.invert(picture).getbbox() == (100, 100, 116, 116)
    assert picture.crop((101, 101, 115, 115)).getextrema() == (255, 255)
    assert picture.histogram()[0] == 4 * 15
