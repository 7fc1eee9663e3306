"""The keyed tokens by which ehc ids and codes are found, so that neither is ever stored.

A code has one text but for the colon: a full-width one is read as well (ehc-standard §2).
"""

from central.keys.service import Keys


def ehc_token(keys: Keys, ehc_id: str) -> bytes:
    """The token of an ehc id."""
    return keys.token("ehc-id", ehc_id)


def code_token(keys: Keys, text: str) -> bytes:
    """The token of a whole scanned text, whatever it is."""
    return keys.token("code", _plain(text))


def tail_token(keys: Keys, text: str) -> bytes:
    """The token of what a splicer takes from a dynamic code: its last field."""
    return keys.token("code-tail", _plain(text).rpartition(":")[2])


def _plain(text: str) -> str:
    return text.replace("：", ":")
