"""Passwords, PINs and badges: what is good enough, and what is drawn."""

import pytest

from central.users.credentials import check_password, check_pin, new_password, new_pin
from shared.badges import badge_digest, is_badge, new_badge
from shared.errors import Malformed
from shared.passwords import hash_password, verify_password
from shared.reasons import Reason


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        "我的孙女每天早上喝一碗豆浆",
        "aB3$aB3$aB3$xyz",
        "1" * 6 + "a2b3c4d",
    ],
)
def test_length_counts(text: str) -> None:
    """A sentence is a password in any script; kinds of characters are nobody's business."""
    check_password(text, "wang.fang", "王芳")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "x" * 129,
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "PasswordPassword",
        "wang.fang-wang.fang",
        "１２３４５６７８９０１２",
    ],
)
def test_weak_passwords(text: str) -> None:
    """Short, endless, one letter, known to everyone, or the user's own name."""
    with pytest.raises(Malformed) as caught:
        check_password(text, "wang.fang", "王芳")
    assert caught.value.reason is Reason.PASSWORD_WEAK


@pytest.mark.parametrize(
    "pin", ["", "123", "0000", "1234", "4321", "987654", "890123", "123456789", "12a4", "１２９４"]
)
def test_weak_pins(pin: str) -> None:
    """Everyone tries them first."""
    with pytest.raises(Malformed) as caught:
        check_pin(pin)
    assert caught.value.reason is Reason.PIN_WEAK


def test_what_is_drawn_is_good() -> None:
    """Drawn passwords and PINs pass their own checks, and none comes twice."""
    passwords = {new_password() for _ in range(100)}
    assert len(passwords) == 100
    for password in passwords:
        check_password(password)
    for _ in range(1_000):
        check_pin(new_pin())


def test_a_hash_is_argon2id_and_no_two_are_alike() -> None:
    """PHC text with OWASP's parameters; the same characters from another keyboard verify."""
    first, second = hash_password("全角 Ａ１ 密码"), hash_password("全角 Ａ１ 密码")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert verify_password("全角 A1 密码", first)
    assert not verify_password("全角 A2 密码", first)
    assert not verify_password("x", "no hash")


def test_a_badge_is_read_in_any_case() -> None:
    """A scanner may type it in lower case and with a line end; a health code is none."""
    badge = new_badge()
    assert is_badge(badge)
    assert is_badge(f"{badge.lower()}\r\n")
    assert badge_digest(f" {badge.lower()}\n") == badge_digest(badge)
    assert not is_badge(f"{badge}A")
    assert not is_badge("OCBADGE1-00000000000000000000")
