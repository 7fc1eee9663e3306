"""Reasons and their words: every code says what happened and what to do, in both languages."""

import re

import pytest

from shared.reasons import Reason
from shared.words import WORDS

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def test_the_table_and_the_reasons_are_the_same_set() -> None:
    """No reason without words, no words without a reason."""
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_words_and_a_next_step(reason: Reason) -> None:
    """Chinese is Chinese, English is plain ASCII, and each fits a line of a slip."""
    words = reason.words
    assert all(text == text.strip() and text for text in words)
    for chinese in (words.zh, words.next_zh):
        assert CHINESE.search(chinese)
        assert len(chinese) <= 30
    for english in (words.en, words.next_en):
        assert english.isascii()
        assert english[0].isupper()
        assert len(english) <= 75
        assert not english.endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_code_can_be_quoted(reason: Reason) -> None:
    """Lower-case words with hyphens, as the member is called."""
    assert CODE.fullmatch(reason.value)
    assert reason.value == reason.name.lower().replace("_", "-")


def test_no_two_reasons_say_the_same() -> None:
    """Two reasons with one sentence would be one reason."""
    for language in (0, 1):
        said = [words[language] for words in WORDS.values()]
        assert len(said) == len(set(said))
