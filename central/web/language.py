"""Which language a page speaks: what was chosen, else what the browser prefers, else Chinese."""

from enum import StrEnum


class Language(StrEnum):
    """The languages of every page; the value is the document's ``lang``."""

    ZH = "zh"
    EN = "en"

    def choose(self, zh: str, en: str) -> str:
        """The one of two texts that this language reads."""
        return zh if self is Language.ZH else en


def choose_language(chosen: str | None, kept: str | None, accepted: str) -> Language:
    """``chosen`` in this request, ``kept`` from an earlier one, or the first known of
    ``accepted`` (Accept-Language, RFC 9110 §12.5.4, in the order it is written).
    """
    preferred = [each.split(";")[0].strip()[:2].lower() for each in accepted.split(",")]
    for wanted in (chosen, kept, *preferred):
        if wanted in set(Language):
            return Language(wanted)
    return Language.ZH
