"""Which language a page speaks."""

import pytest

from central.web.language import Language, choose_language


@pytest.mark.parametrize(
    ("chosen", "kept", "accepted", "expected"),
    [
        (None, None, "", Language.ZH),
        (None, None, "fr-FR,de;q=0.8", Language.ZH),
        (None, None, "en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        (None, None, "fr, zh-CN, en", Language.ZH),
        (None, "en", "zh-CN", Language.EN),
        ("zh", "en", "en", Language.ZH),
        ("<script>", "nonsense", "en", Language.EN),
    ],
)
def test_what_was_chosen_goes_before_what_is_preferred(
    chosen: str | None, kept: str | None, accepted: str, expected: Language
) -> None:
    """Chosen now, kept from before, the browser's own, Chinese; what is neither is passed over."""
    assert choose_language(chosen, kept, accepted) is expected
