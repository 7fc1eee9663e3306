"""Cards: one account a person, its states, and the codes it gives out."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from central.cards.card import CardId
from central.cards.states import CARD_STEPS, CardAct, CardState, next_state
from shared.ehc import DynamicCode, Extension, StaticCode, extension_times, parse_code
from shared.errors import Malformed, Refused
from shared.ids import new_record_id
from shared.messages import Verdict
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, CODE_KID, People, make_resident


def test_a_person_has_one_card(people: People) -> None:
    """Opening again gives the same card and the same static code."""
    person, card = people.enrol()
    with people.database.unit():
        again = people.cards.open_account(person, AT, CLERK)
    assert again == card
    assert parse_code(people.cards.static_code(card)) == StaticCode(card.ehc_id)
    assert people.cards.read_of(person.id) == people.cards.read(card.id) == card
    with pytest.raises(peewee.IntegrityError):
        people.database.execute(
            "INSERT INTO card (id, person_id, state, opened_at) VALUES (x'00', ?, 'active', 0)",
            (person.id.bytes,),
        )


def test_a_changed_name_changes_the_code_and_keeps_the_old_sticker_good(people: People) -> None:
    """The card gives out the new ehc id; both lead to it, also after the name is taken back."""
    person, card = people.enrol()
    with people.database.unit():
        renamed = people.patients.rename(person.id, "电子健康码", AT + timedelta(1), CLERK)
        new = people.cards.open_account(renamed, AT + timedelta(1), CLERK)
    assert new.id == card.id
    assert new.ehc_id != card.ehc_id
    for each in (card, new):
        code = people.cards.static_code(each)
        judged = people.cards.judge(code, BOX, new_record_id(AT), AT + timedelta(2))
        assert (judged.verdict, judged.person) == (Verdict.ACCEPTED, person.id)
    with people.database.unit():
        back = people.patients.rename(person.id, person.name, AT + timedelta(3), CLERK)
        assert people.cards.open_account(back, AT + timedelta(3), CLERK).ehc_id == card.ehc_id


@pytest.mark.parametrize("before", CardState)
@pytest.mark.parametrize("act", CardAct)
def test_every_act_is_the_tables(before: CardState, act: CardAct) -> None:
    """Exactly the acts of the table are done; every other one is refused."""
    if after := CARD_STEPS[before].get(act):
        assert next_state(before, act) is after
    else:
        with pytest.raises(Refused) as refused:
            next_state(before, act)
        assert refused.value.reason is Reason.STATE_STEP


def test_states_are_kept_and_audited(people: People) -> None:
    """Suspend, resume, cancel: each act is stored, and in the audit by card number alone."""
    _, card = people.enrol()
    with people.database.unit():
        assert people.cards.suspend(card.id, AT, CLERK).state is CardState.SUSPENDED
        assert people.cards.resume(card.id, AT, CLERK).state is CardState.ACTIVE
        assert people.cards.cancel(card.id, AT, CLERK).state is CardState.CANCELLED
        with pytest.raises(Refused) as refused:
            people.cards.resume(card.id, AT, CLERK)
    assert refused.value.reason is Reason.STATE_STEP
    rows = people.database.execute(
        "SELECT act, facts FROM audit_row WHERE subject = ? ORDER BY seq", (str(card.id),)
    ).fetchall()
    assert [act for act, _ in rows] == ["card.open", "card.suspend", "card.resume", "card.cancel"]
    assert rows[-1][1] == '{"before":"active"}'


def test_a_cancelled_card_is_issued_again_at_a_registration(people: People) -> None:
    """Opening with the document at hand makes it active again; a changed name alone does not."""
    person, card = people.enrol()
    with people.database.unit():
        people.cards.cancel(card.id, AT, CLERK)
        assert people.cards.renew_ehc_id(person, AT).state is CardState.CANCELLED
        again = people.cards.open_account(person, AT, CLERK)
    assert again == card


def test_a_suspended_card_stays_suspended_at_a_registration(people: People) -> None:
    """Registering again is no way around a suspension."""
    person, card = people.enrol()
    with people.database.unit():
        people.cards.suspend(card.id, AT, CLERK)
        assert people.cards.open_account(person, AT, CLERK).state is CardState.SUSPENDED


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (CardState.SUSPENDED, Reason.CARD_SUSPENDED),
        (CardState.CANCELLED, Reason.CARD_CANCELLED),
    ],
)
def test_a_card_that_does_not_stand_gives_no_codes(
    people: People, state: CardState, reason: Reason
) -> None:
    """Neither a static nor a dynamic code is issued for a suspended or cancelled card."""
    _, card = people.enrol()
    with people.database.unit():
        step = people.cards.suspend if state is CardState.SUSPENDED else people.cards.cancel
        card = step(card.id, AT, CLERK)
        for issue in (people.cards.static_code, lambda card: people.cards.issue_dynamic(card, AT)):
            with pytest.raises(Refused) as refused:
                issue(card)
            assert refused.value.reason is reason


def test_an_unknown_card_is_refused(people: People) -> None:
    """A number that names no card says so."""
    with pytest.raises(Refused) as refused:
        people.cards.read(CardId(new_record_id(AT)))
    assert refused.value.reason is Reason.NOT_FOUND


def test_a_dynamic_code_carries_our_signed_extension(people: People) -> None:
    """The issued text has our kid, this second and the given life, and its signature holds."""
    _, card = people.enrol()
    with people.database.unit():
        code = parse_code(people.cards.issue_dynamic(card, AT, 90))
    assert isinstance(code, DynamicCode)
    assert isinstance(code.extension, Extension)
    second = AT.replace(microsecond=0)
    assert code.extension.kid == CODE_KID
    assert extension_times(code.extension) == (second, second + timedelta(seconds=90))
    assert people.keys.open_validity(code.validity) == second
    assert people.keys.verify_extension(code)


@pytest.mark.parametrize("signed", [True, False])
def test_two_codes_in_one_second_are_two_texts(people: People, signed: bool) -> None:
    """Codes of one card in one second differ, so each is used up by itself."""
    _, card = people.enrol()
    with people.database.unit():
        codes = [people.cards.issue_dynamic(card, AT, signed=signed) for _ in range(3)]
        assert len(set(codes)) == 3
        for code in codes:
            judged = people.cards.judge(code, BOX, new_record_id(AT), AT)
            assert judged.verdict is Verdict.ACCEPTED


def test_unsigned_codes_of_one_second_run_out(people: People) -> None:
    """The national form has no nonce: beyond the life of a code no free second is left."""
    _, card = people.enrol()
    with people.database.unit():
        for _ in range(5):
            people.cards.issue_dynamic(card, AT, 5, signed=False)
        with pytest.raises(Refused) as refused:
            people.cards.issue_dynamic(card, AT, 5, signed=False)
    assert refused.value.reason is Reason.REQUEST_NOT_ALLOWED


@pytest.mark.parametrize("ttl_seconds", [0, 256])
def test_a_life_that_does_not_fit_is_refused(people: People, ttl_seconds: int) -> None:
    """A code lives 1 to 255 seconds: one byte of the extension."""
    _, card = people.enrol()
    with pytest.raises(Malformed):
        people.cards.issue_dynamic(card, AT, ttl_seconds)


def test_no_code_is_in_the_files(people: People, tmp_path: Path) -> None:
    """Neither the database nor its log holds an ehc id, a validity or an extension."""
    _, card = people.enrol()
    people.enrol(make_resident(1, "张三"))
    with people.database.unit():
        signed = people.cards.issue_dynamic(card, AT)
        unsigned = people.cards.issue_dynamic(card, AT, signed=False)
        people.cards.judge(signed, BOX, new_record_id(AT), AT)
    assert sqlite3.connect(tmp_path / "central.db").execute("SELECT 1 FROM issued_code").fetchone()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for field in {*signed.split(":"), *unsigned.split(":")} - {"", "0"}:
        assert field.encode() not in stored
    assert bytes.fromhex(card.ehc_id) not in stored
