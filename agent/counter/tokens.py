"""Keyed tokens of what was scanned: the box remembers codes and cards without holding them."""

from shared.crypto import STD
from shared.ehc import Code, TemporaryCode, build_code


class CodeTokens:
    """Tokens under a key of this box alone; 32 bytes each."""

    def __init__(self, key: bytes) -> None:
        self._text_key = STD.derive(key, b"onecode box code text")
        self._card_key = STD.derive(key, b"onecode box card")

    def of_text(self, frame: bytes) -> bytes:
        """The token of the very text that was scanned."""
        return STD.mac(self._text_key, frame)

    def of_card(self, code: Code) -> bytes:
        """The token of the card a code names, the same for all its codes."""
        name = build_code(code) if isinstance(code, TemporaryCode) else code.ehc_id
        return STD.mac(self._card_key, name.encode())
