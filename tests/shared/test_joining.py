"""An invite's text: read back however it is typed, never mistaken, never half read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.joining import Invite, build_invite, is_invite, parse_invite, renew_bytes, time_bytes
from shared.qr import Level, symbol
from shared.reasons import Reason

INVITE = Invite(
    secret=bytes(range(16)),
    ca_fingerprint=bytes(range(32)),
    host="onecode.example.cn",
    port=8443,
    expires_at=1_772_000_000_000_000,
    box="renmin/box1",
    counter="挂号 1",
    serial="SN-0042",
)
TEXT = build_invite(INVITE)


def test_it_is_read_back_however_it_is_typed() -> None:
    """Spaces, line ends, hyphens or none, small letters: the same invite."""
    for text in (
        TEXT,
        TEXT.lower(),
        TEXT.replace("-", ""),
        TEXT.replace("-", " \n"),
        f" {TEXT}\r\n",
    ):
        assert is_invite(text)
        assert parse_invite(text) == INVITE


@pytest.mark.parametrize("at", range(len("ONECODE1-"), len(TEXT) - 1))
def test_every_typing_error_is_found(at: int) -> None:
    """One character changed or left out anywhere behind the prefix: INVITE_MALFORMED.

    Hyphens mean nothing; the last character has spare bits.
    """
    if TEXT[at] == "-":
        assert parse_invite(TEXT[:at] + TEXT[at + 1 :]) == INVITE
        return
    other = "A" if TEXT[at] != "A" else "B"
    for wrong in (TEXT[:at] + other + TEXT[at + 1 :], TEXT[:at] + TEXT[at + 1 :]):
        with pytest.raises(Malformed) as caught:
            parse_invite(wrong)
        assert caught.value.reason is Reason.INVITE_MALFORMED


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """Rubbish is refused, with and without the prefix."""
    for given_text in (text, f"ONECODE1-{text}"):
        with pytest.raises(Malformed):
            parse_invite(given_text)


@settings(deadline=None)
@given(
    st.builds(
        Invite,
        st.binary(min_size=16, max_size=16),
        st.binary(min_size=32, max_size=32),
        st.text(max_size=80),
        st.integers(1, 65535),
        st.integers(0, 2**52),
        st.text(max_size=70),
        st.text(max_size=70),
        st.text(max_size=70),
    )
)
def test_every_invite_goes_through_its_text(invite: Invite) -> None:
    """Text and back is the identity; the text fits one symbol of letters and digits."""
    text = build_invite(invite)
    assert parse_invite(text) == invite
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-1")
    assert symbol(text, Level.M)


def test_other_texts_are_no_invites() -> None:
    """A scanner at the counter tells them apart by their first characters."""
    for text in ("", "ONECODE", "C" * 64 + ":1:", "http://x/ONECODE1-", "OCBADGE1-ABCD"):
        assert not is_invite(text)


def test_what_is_signed_tells_its_purpose() -> None:
    """Time, renewal and their fields cannot be taken for one another."""
    signed = {
        time_bytes(bytes(16), 1),
        time_bytes(bytes(16), 2),
        renew_bytes("a/b", "1", "csr", 1),
        renew_bytes("a/b", "1c", "sr", 1),
        renew_bytes("a/b1", "", "csr", 1),
    }
    assert len(signed) == 5
