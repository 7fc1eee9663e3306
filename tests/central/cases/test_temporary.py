"""Temporary registrations that contradict: parked and a case at once, good after a person's act."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from central.app import Central, open_central
from central.cases.kinds import CaseKind
from central.config import BrokerConfig
from central.fleet.box import NewKeys, Place
from central.fleet.certificates import CertificateFacts
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from shared.clock import to_microseconds
from shared.codec import records
from shared.crypto import STD
from shared.ehc import build_code, sign_temporary, temporary_serial
from shared.ids import new_record_id
from shared.ledger import Lane, genesis_head
from shared.messages import TemporaryRecord, Verdict
from shared.notices import NoticeKind
from shared.pairing import PairKey
from shared.reasons import Reason
from shared.sealing import BodySealer
from tests.central.ingest.boxes import BOX, PaperBox
from tests.central.ingest.centre import AT
from tests.central.people import CLERK, OTHER_BOX, SAMPLE
from tests.central.scans.asking import make_origin


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    """All of it, as ``init`` makes it."""
    found_central(tmp_path / "central", Foundation(BrokerConfig()), AT, CLERK)
    with open_central(tmp_path / "central") as central:
        yield central


@pytest.fixture
def box(central: Central) -> PaperBox:
    secret, key = os.urandom(32), STD.new_signing_key()
    facts = CertificateFacts(os.urandom(8).hex(), os.urandom(32), AT, AT)
    place = Place(BOX, counter="挂号1", site_name="示范医院")
    with central.unit():
        central.fleet.add_box(place, NewKeys(secret, STD.id, key.public_bytes, facts), AT, CLERK)
    sealer = BodySealer(STD, central.keys.central_public, BOX)
    return PaperBox(BOX, PairKey(secret), key, sealer, genesis_head(STD, BOX, 1))


def give(central: Central, box: PaperBox, name: str) -> str:
    """The box has given a code while it was alone, and its record arrives; the code's text."""
    id = new_record_id(AT)
    number = central.fleet.box(BOX).number
    text = build_code(sign_temporary(box.signing_key, number, 1, temporary_serial(id)))
    record = TemporaryRecord(
        lane=Lane.IDENTITY,
        origin=make_origin(box=BOX),
        document_type=SAMPLE.document_type,
        document_number=SAMPLE.document_number,
        name=name,
        sex="0",
        phone="",
        code=text,
        asked=False,
    )
    body = box.sealer.seal(records.encode(record), id.bytes, Lane.IDENTITY, to_microseconds(AT))
    box.append_body(body, id.bytes, Lane.IDENTITY)
    with central.unit():
        receipt = central.ingest.inbox.take(BOX, box.encode(box.rows[-1:]), AT)
    assert receipt is not None
    return text


def judge(central: Central, text: str) -> tuple[Verdict, Reason | None]:
    with central.unit():
        judged = central.cards.judge(text, OTHER_BOX, new_record_id(AT), AT)
    return judged.verdict, judged.reason


def enrol(central: Central, name: str) -> None:
    with central.unit():
        registration = Registration(SAMPLE.document_type, SAMPLE.document_number, name)
        person, _ = central.patients.register(registration, AT, CLERK)
        central.cards.open_account(person, AT, CLERK)


def test_a_number_under_another_name_is_parked_and_a_case(central: Central, box: PaperBox) -> None:
    """Nothing is forced: the row is in custody, the code provisional, a person is asked; when they
    have corrected the name, the replay makes the code good and tells the box."""
    enrol(central, "张三")
    text = give(central, box, SAMPLE.name)
    (parked,) = central.ledger.list_parked()
    assert parked.reason == Reason.PERSON_MISMATCH
    (case,) = central.cases.list_undecided()
    assert case.kind is CaseKind.REGISTERED_TWICE
    assert judge(central, text) == (Verdict.PROVISIONAL, Reason.CODE_TEMPORARY_UNKNOWN)
    with central.unit():
        owner = central.patients.find("01", SAMPLE.document_number, "张三", AT)
        assert owner is not None
        central.patients.rename(owner.id, SAMPLE.name, AT, CLERK)
    assert central.ledger.replay(AT).interpreted == 1
    assert judge(central, text) == (Verdict.ACCEPTED, None)
    kinds = [notice.kind for notice in central.notices.list_waiting(BOX)]
    assert kinds.count(NoticeKind.TEMPORARY_RESOLVED) == 1


@pytest.mark.parametrize("stopped_before", [True, False])
def test_a_stopped_card_is_a_case_only_if_it_was_stopped_when_the_code_was_given(
    central: Central, box: PaperBox, stopped_before: bool
) -> None:
    """One that was stopped afterwards contradicts nothing: its codes are refused, that is all."""
    enrol(central, SAMPLE.name)
    with central.unit():
        owner = central.patients.find("01", SAMPLE.document_number, SAMPLE.name, AT)
        assert owner is not None
        step = timedelta(hours=-1 if stopped_before else 1)
        card = central.cards.read_of(owner.id)
        central.cards.suspend(card.id, AT + step, CLERK)
    text = give(central, box, SAMPLE.name)
    assert judge(central, text) == (Verdict.REFUSED, Reason.CARD_SUSPENDED)
    cases = central.cases.list_undecided()
    assert [case.kind for case in cases] == [CaseKind.CARD_CANCELLED_MEANWHILE] * stopped_before
