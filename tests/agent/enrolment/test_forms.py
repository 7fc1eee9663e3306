"""The small pure parts: the state table, ``box.toml`` as text, a certificate's dates, slips."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from agent.config import BoxConfig, BoxFiles, BrokerAddress, CentralAddress, read_box_config
from agent.drivers.fonts import find_font
from agent.drivers.raster import Typeface
from agent.drivers.slip_layout import MARGIN, draw_slip, fit_texts
from agent.drivers.templates import DEFAULT, TEMPLATES
from agent.enrolment.box_toml import build_box_toml
from agent.enrolment.drafts import Joined
from agent.enrolment.slips import build_joined_slip, build_refused_slip
from agent.enrolment.states import DRAFTS, JOIN_STEPS, JoinState, read_state
from agent.enrolment.validity import read_validity
from shared.clock import to_microseconds
from shared.errors import Malformed, Refused
from shared.reasons import Reason
from tests.agent.enrolment.peer import new_authority, pem_of

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_the_table_leads_from_new_to_joined() -> None:
    """Every state is reached, each by its own draft, and only with all drafts before it."""
    state, drafts = JoinState.NEW, set[str]()
    seen = [state]
    while state in JOIN_STEPS:
        state = JOIN_STEPS[state]
        seen.append(state)
        before = set(drafts)
        drafts.add(DRAFTS[state])
        assert read_state(drafts) is state
        assert read_state({DRAFTS[JoinState.ANSWERED]}) is JoinState.NEW
        assert read_state(before) is seen[-2]
    assert seen == list(JoinState)


@pytest.mark.parametrize("site_name", ["虚构市人民医院", 'a "quoted" \\ name', "𠮷野家 · ' #"])
def test_box_toml_is_read_back(files: BoxFiles, site_name: str) -> None:
    """Whatever a hospital is called; what is as by default is left out."""
    config = BoxConfig(
        box="site1/box7",
        counter="挂号 1",
        site_name=site_name,
        broker=BrokerAddress("127.0.0.1", 8883),
        central_public="ab" * 32,
        code_keys={"1": "cd" * 32, "207": "ef" * 32},
        central=CentralAddress("127.0.0.1", 8443),
        epoch=3,
    )
    files.directory.mkdir()
    files.config.write_text(build_box_toml(config), encoding="utf-8")
    assert read_box_config(files) == config
    assert "api_port" not in files.config.read_text()


@pytest.mark.parametrize(
    "until", [datetime(2027, 1, 2, tzinfo=UTC), datetime(2081, 5, 6, tzinfo=UTC)]
)
def test_a_certificates_dates(until: datetime) -> None:
    """Both forms that X.509 has for a time; the serial as other tools show it."""
    authority = new_authority(NOON, until)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue("site1/box7", key.public_key(), NOON, until)
    found = read_validity(pem_of(certificate).encode())
    assert (found.not_before, found.not_after) == (NOON, until)
    assert found.serial == f"{certificate.serial_number:x}"
    life = until - NOON
    assert not found.is_due(until - life * 0.34)
    assert found.is_due(until - life * 0.33)
    assert found.covers(until)
    assert not found.covers(until + timedelta(seconds=1))


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate(pem: bytes) -> None:
    """Is refused with a reason."""
    with pytest.raises(Malformed):
        read_validity(pem)


JOINED = Joined(
    invite=b"",
    box="hospital3/window12",
    site_name="虚构市第三人民医院门诊部",
    counter="挂号收费 12 号窗",
    joined_at=to_microseconds(NOON),
    certificate_until=to_microseconds(NOON + timedelta(days=730)),
    clock_ahead_ms=0,
)


def test_a_wrong_clock_is_on_the_slip() -> None:
    """With what to do about it; a right one is not."""
    wrong = msgspec.structs.replace(JOINED, clock_ahead_ms=-1_000_000)
    cure = Reason.CLOCK_WRONG.words.next_zh
    assert any(cure in line for line in build_joined_slip(wrong, NOON).lines)
    assert not any(cure in line for line in build_joined_slip(JOINED, NOON).lines)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.startswith("invite")])
def test_every_slip_fits_its_paper(reason: Reason) -> None:
    """All words and both next steps are inside the label, and no character is missing."""
    slips = [build_refused_slip(Refused(reason, "this machine is SN-0123456789"), NOON)]
    slips.append(build_joined_slip(JOINED, NOON))
    typeface = Typeface(find_font())
    paper = TEMPLATES[DEFAULT]
    for slip in slips:
        for text in slip.lines:
            assert all(typeface.has_glyph(character) for character in text), text
        lines, size = fit_texts(
            slip.lines[1:], paper.width - 2 * MARGIN, paper.height - 70, typeface
        )
        assert "".join(lines).replace(" ", "") == "".join(slip.lines[1:]).replace(" ", "")
        assert size >= 14
        for x, y, bitmap in draw_slip(slip, typeface).pieces:
            assert x + bitmap.width <= paper.width
            assert y + bitmap.height <= paper.height
