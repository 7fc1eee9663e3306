"""What holds at a box: central's word before ``box.toml``'s."""

from typing import get_args, get_type_hints

import msgspec
import pytest

from agent.config import BoxConfig
from agent.drivers.templates import CAPTIONS, TEMPLATES
from agent.settings.effective import build_effective
from shared.desired import BoxSettings, Desired
from tests.agent.settings.centre import BOX, CONFIG


@pytest.mark.parametrize(
    ("configured", "wanted", "effective"),
    [("50x30", None, "50x30"), ("51x25", None, "51x25"), ("51x25", "25x279", "25x279")],
)
def test_the_paper_of_labels(configured: str, wanted: str | None, effective: str) -> None:
    """``box.toml`` names it, central may name another."""
    config = msgspec.convert({**msgspec.to_builtins(CONFIG), "label": configured}, BoxConfig)
    settings = msgspec.convert({"label": wanted}, BoxSettings)
    desired = Desired(box=BOX, revision=1, made_at=1, settings=settings)
    assert build_effective(config, desired).label == effective


@pytest.mark.parametrize(
    ("configured", "told", "number"), [(0, None, 0), (0, 7, 7), (7, None, 7), (7, 0, 7)]
)
def test_a_box_that_joined_before_learns_its_number(
    configured: int, told: int | None, number: int
) -> None:
    """By central's configuration, with nobody at the box; a central that says none takes none."""
    config = msgspec.structs.replace(CONFIG, number=configured)
    desired = Desired(BOX, 1, 1, BoxSettings(), number=told) if told is not None else None
    assert build_effective(config, desired).number == number


@pytest.mark.parametrize(
    ("settings", "field", "known"),
    [
        (BoxSettings, "label", TEMPLATES),
        (BoxConfig, "label", TEMPLATES),
        (BoxSettings, "language", CAPTIONS),
    ],
)
def test_what_can_be_set_can_be_printed(
    settings: type[msgspec.Struct], field: str, known: dict[str, object]
) -> None:
    """Every paper and language that settings name has its layout and its words."""
    hint = get_type_hints(settings)[field]
    names = {name for part in (hint, *get_args(hint)) for name in get_args(part)}
    assert {name for name in names if isinstance(name, str)} == set(known)
