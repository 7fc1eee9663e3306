"""Keyed tokens: the box remembers codes, cards and residents without holding them."""

from shared.crypto import STD
from shared.ehc import Code, TemporaryCode, build_code
from shared.residents import Document


class CodeTokens:
    """Tokens under a key of this box alone; 32 bytes each."""

    def __init__(self, key: bytes) -> None:
        self._text_key = STD.derive(key, b"onecode box code text")
        self._card_key = STD.derive(key, b"onecode box card")
        self._resident_key = STD.derive(key, b"onecode box resident")

    def of_text(self, frame: bytes) -> bytes:
        """The token of the very text that was scanned."""
        return STD.mac(self._text_key, frame)

    def of_resident(self, document: Document, name: str) -> bytes:
        """The token of a checked document with a normalised name."""
        return STD.mac(self._resident_key, f"{document.type}:{document.number}:{name}".encode())

    def of_card(self, code: Code) -> bytes:
        """The token of the card a code names, the same for all its codes."""
        return STD.mac(self._card_key, card_name(code).encode())


def card_name(code: Code) -> str:
    """By what a code leads to its card: its ehc id, or all of a temporary code."""
    return build_code(code) if isinstance(code, TemporaryCode) else code.ehc_id
