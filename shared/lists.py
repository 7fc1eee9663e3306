"""What central signs for boxes that may have to judge alone: code keys, revoked cards, persons.

A head says how far a list has come and stands on a retained topic; its content is asked for and
comes in pages. Both are signed by central's announcements key. A code's owner is named by a keyed
token of the ``ehc_id``, or of the text of a temporary code, so that a list without its key tells
nothing.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from shared.codec import Codec
from shared.crypto import STD, VerifyKey
from shared.ehc import MAX_EXTENSION_KID
from shared.errors import Malformed
from shared.message_bases import Hash, Time
from shared.messages import Identity, ListName
from shared.reasons import Reason

TOKEN_BYTES = 16
POSITION_KEY_BYTES = 32
KEY_AHEAD = timedelta(days=7)
"""How long a code key stands in the key set before the first code is signed with it, unless the
one before it was stolen: a box whose key set is younger than this knows every key in use."""

Token = Annotated[bytes, msgspec.Meta(min_length=TOKEN_BYTES, max_length=TOKEN_BYTES)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Kid = Annotated[int, msgspec.Meta(ge=0, le=MAX_EXTENSION_KID)]
Revision = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
"""Grows with each change, and never behind the seconds since 1970: a centre put back from a
backup is soon heard again."""


class ListHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far one list has come; ``at`` is when central last knew it to be so.

    ``site`` is empty for a list that every site shares. ``digest`` is ``set_digest`` of the
    revoked cards, the hash of the keys, and zero for persons, of whom a box keeps the latest only.
    """

    what: ListName
    site: str
    revision: Revision
    count: Revision
    digest: Hash
    at: Time
    version: Literal[1] = 1


class SignedList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``body`` is a head or a page as msgpack, signed under its own purpose."""

    body: bytes
    signature: Signature


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far a reader has come in a list: entries go by (revision, key)."""

    revision: Revision
    key: Annotated[bytes, msgspec.Meta(max_length=POSITION_KEY_BYTES)]


class CodeKey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An issuing domain's public key: good for codes issued from ``from_at`` until ``until_at``."""

    kid: Kid
    public: Bytes32
    from_at: Time
    until_at: Time | None


class RevokedCard(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A code's owner whose card identifies nobody, and why."""

    token: Token
    reason: Reason


class ListedPerson(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A person of the site under each of their tokens; None: no longer of this site."""

    tokens: tuple[Token, ...]
    identity: Identity | None


class PageBase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every page carries: what it goes on from, where it ends (None: at ``head``)."""

    version: Literal[1] = 1
    head: ListHead
    since: Position
    next: Position | None = None


class KeysPage(PageBase, frozen=True, kw_only=True, tag="keys"):
    """The whole key set; ``token_key`` makes the tokens of the other lists."""

    keys: tuple[CodeKey, ...]
    token_key: Bytes32


class RevokedPage(PageBase, frozen=True, kw_only=True, tag="revoked"):
    """What changed in the set: from the start (``since`` zero) it is the whole of it."""

    added: tuple[RevokedCard, ...]
    removed: tuple[Token, ...]


class PersonsPage(PageBase, frozen=True, kw_only=True, tag="persons"):
    """Persons of the site, the latest changed last."""

    persons: tuple[ListedPerson, ...]


Page = KeysPage | RevokedPage | PersonsPage

START = Position(0, b"")


def end_of(revision: int) -> Position:
    """The position of whoever has all of a revision."""
    return Position(revision, b"\xff" * POSITION_KEY_BYTES)


Sign = Callable[[bytes], bytes]
"""Signs with central's announcements key."""

_HEAD = b"onecode list head\0"
_PAGE = b"onecode list page\0"
"""What a signature is for: none passes for another."""
list_heads: Codec[ListHead] = Codec(ListHead)
list_pages: Codec[Page] = Codec(Page)
_signed: Codec[SignedList] = Codec(SignedList)
_keys = msgspec.msgpack.Encoder().encode
_MODULUS = 1 << 256


def sign_head(sign: Sign, head: ListHead) -> bytes:
    """The payload of a list's topic; the same head has the same bytes."""
    body = list_heads.encode(head)
    return _signed.encode(SignedList(body, sign(_HEAD + body)))


def open_head(key: VerifyKey, payload: bytes) -> ListHead:
    """The head that central signed. Raises Malformed, NotAuthentic, Refused (SCHEMA_UNKNOWN)."""
    signed = _signed.decode(payload)
    key.verify(signed.signature, _HEAD + signed.body)
    return list_heads.decode(signed.body)


def sign_page(sign: Sign, page: Page) -> SignedList:
    """A page as a reply carries it."""
    body = list_pages.encode(page)
    return SignedList(body, sign(_PAGE + body))


def open_page(key: VerifyKey, signed: SignedList) -> Page:
    """The page that central signed. Raises Malformed, NotAuthentic, Refused (SCHEMA_UNKNOWN)."""
    key.verify(signed.signature, _PAGE + signed.body)
    return list_pages.decode(signed.body)


def card_token(token_key: bytes, name: str) -> bytes:
    """By which a code's owner is found in a list."""
    return STD.mac(token_key, b"onecode listed card\0" + name.encode())[:TOKEN_BYTES]


def keys_digest(keys: tuple[CodeKey, ...], token_key: bytes) -> bytes:
    """What a head says of a key set."""
    return STD.digest(b"onecode key set\0" + token_key + _keys(keys))


def element(token: bytes, reason: Reason) -> int:
    """One revoked card's share in the digest of the set."""
    return int.from_bytes(STD.digest(b"onecode revoked\0" + token + reason.encode()), "big")


def set_digest(before: bytes, added: Iterable[int], removed: Iterable[int] = ()) -> bytes:
    """The digest of a set after elements came and went, whatever the order; empty: 32 zero bytes.

    A sum of hashes: a change costs its own size, not the set's. It is against loss; what was
    added by others is kept out by signatures.
    """
    total = int.from_bytes(before, "big") + sum(added) - sum(removed)
    return (total % _MODULUS).to_bytes(32, "big")


NO_DIGEST = bytes(32)


def check_site(head: ListHead, site: str) -> None:
    """Raises Malformed for another site's list, or one that claims no site where it has one."""
    wanted = site if head.what is ListName.PERSONS else ""
    if head.site != wanted:
        raise Malformed(Reason.NOT_FOR_THIS_BOX, f"list {head.what}")
