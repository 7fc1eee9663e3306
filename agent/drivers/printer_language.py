"""Which language a printer is spoken to in."""

from enum import StrEnum


class PrinterLanguage(StrEnum):
    """What a Zebra label printer understands; one that is asked says which."""

    ZPL = "zpl"
    EPL2 = "epl2"
