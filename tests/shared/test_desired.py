"""Settings: read strictly, refused by name and never by value, merged; one form of bytes."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.desired import (
    BoxSettings,
    Desired,
    OperatorEntry,
    SignedDesired,
    build_body,
    decode_signed,
    encode_desired,
    merge_settings,
    parse_body,
    parse_settings,
    peek_revision,
)
from shared.errors import Malformed, Refused
from shared.messages import MedicalStep
from shared.reasons import Reason
from shared.version import VERSION

DESIRED = Desired(
    box="site1/box1",
    revision=7,
    made_at=1,
    settings=BoxSettings(site_name="市人民医院", printer="simulated:labels", scanner="none"),
    operators=(OperatorEntry("u1", "王芳", "clerk", bytes(32), "$argon2id$", "en"),),
)


def altered(**changes: Any) -> bytes:
    """A body that our types would not make."""
    plain = msgspec.msgpack.decode(build_body(DESIRED))
    return msgspec.msgpack.encode({**plain, **changes})


def test_what_is_built_is_read_back() -> None:
    """Body and signature go round."""
    assert parse_body(build_body(DESIRED)) == DESIRED
    signed = SignedDesired(build_body(DESIRED), bytes(64))
    assert decode_signed(encode_desired(signed)) == signed
    assert peek_revision(encode_desired(signed)) == 7


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (altered(settings={"volume": 11}), Reason.SETTING_UNKNOWN, "volume"),
        (altered(settings={"language": "fr"}), Reason.SETTING_IMPOSSIBLE, "language"),
        (altered(settings={"idle_seconds": 29}), Reason.SETTING_IMPOSSIBLE, "idle_seconds"),
        (altered(settings={"site_name": ""}), Reason.SETTING_IMPOSSIBLE, "site_name"),
        (altered(settings={"site_name": "a\nb"}), Reason.SETTING_IMPOSSIBLE, "site_name"),
        (altered(settings={"printer": "usb:"}), Reason.SETTING_IMPOSSIBLE, "printer"),
        (altered(operators=[{"id": "王芳"}]), Reason.SETTING_IMPOSSIBLE, "operators[0]"),
        (altered(revision=0), Reason.SETTING_IMPOSSIBLE, "revision"),
        (altered(version=2), Reason.SCHEMA_UNKNOWN, ""),
        (b"", Reason.MESSAGE_MALFORMED, ""),
    ],
)
def test_a_wrong_body_is_refused_by_the_settings_name(
    body: bytes, reason: Reason, detail: str
) -> None:
    """A person can find what to mend, and no value is repeated."""
    with pytest.raises(Refused) as caught:
        parse_body(body)
    assert caught.value.reason is reason
    assert caught.value.detail.startswith(detail)
    assert "王" not in caught.value.detail


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    """Nothing that comes down the line raises anything else."""
    assert peek_revision(data) >= 0
    for read in (parse_body, decode_signed):
        with suppress(Refused):
            read(data)


def test_settings_are_read_as_a_person_types_them() -> None:
    """Text becomes numbers, truths and steps; None says nothing."""
    typed = {"again_seconds": "15", "operators_required": "true", "medical_step": "010105"}
    assert parse_settings({**typed, "label": None}) == BoxSettings(
        again_seconds=15, operators_required=True, medical_step=MedicalStep.PAY
    )
    with pytest.raises(Malformed):
        parse_settings({"again_seconds": "soon"})


def test_what_a_box_says_goes_before_what_its_site_says() -> None:
    """False and zero say something, None does not."""
    site = BoxSettings(again_seconds=20, operators_required=True, language="en")
    box = BoxSettings(again_seconds=0, operators_required=False)
    assert merge_settings(site, box) == BoxSettings(
        again_seconds=0, operators_required=False, language="en"
    )


def test_the_version_is_the_projects() -> None:
    """Boxes report the version that is installed."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
