"""What a shown code is worth: every reason, and who uses a dynamic code up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.cards.card import Card, Judgement
from central.cards.states import CardState
from shared.crypto import STD
from shared.ehc import (
    DynamicCode,
    ForeignExtension,
    build_code,
    parse_code,
    sign_extension,
    sign_temporary,
)
from shared.ids import BoxId, RecordId, new_record_id
from shared.messages import Verdict
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, CODE_KID, OTHER_BOX, People, make_resident

SECOND = timedelta(seconds=1)


def judge(
    people: People,
    code: str,
    *,
    box: BoxId = BOX,
    id: RecordId | None = None,
    after: timedelta = timedelta(),
    consume: bool = True,
) -> Judgement:
    with people.database.unit():
        return people.cards.judge(code, box, id or new_record_id(AT), AT + after, consume=consume)


def issue(people: People, card: Card, *, signed: bool = True) -> str:
    with people.database.unit():
        return people.cards.issue_dynamic(card, AT, signed=signed)


def parse_dynamic(text: str) -> DynamicCode:
    code = parse_code(text)
    assert isinstance(code, DynamicCode)
    return code


def test_a_static_code_is_good_again_and_again(people: People) -> None:
    """A static code names its person and is never used up."""
    person, card = people.enrol()
    code = people.cards.static_code(card)
    for text in (code, code, code.replace(":", "：")):
        assert judge(people, text) == Judgement.accepted(person.id, consumed=False)


@pytest.mark.parametrize("signed", [True, False])
def test_a_dynamic_code_is_good_once(people: People, signed: bool) -> None:
    """The first record uses a code up; another box, and another of the same box, find it used."""
    person, card = people.enrol()
    code, id = issue(people, card, signed=signed), new_record_id(AT)
    assert judge(people, code, id=id) == Judgement.accepted(person.id, consumed=True)
    assert judge(people, code, box=OTHER_BOX).reason is Reason.CODE_USED
    with people.database.unit():
        assert people.cards.report_use(code, BOX, id, AT)
    assert judge(people, code.replace(":", "：")).reason is Reason.CODE_USED


def test_the_same_record_gets_the_same_verdict(people: People) -> None:
    """Asked again for the same box and id, also long after: accepted, one consumption."""
    _, card = people.enrol()
    code, id = issue(people, card), new_record_id(AT)
    first = judge(people, code, id=id)
    with people.database.unit():
        people.cards.report_use(code, BOX, id, AT)
    assert judge(people, code, id=id, after=timedelta(hours=1)) == first
    assert judge(people, code, box=OTHER_BOX, id=id).reason is Reason.CODE_USED


def test_an_unreported_use_moves_to_the_next_scan_at_the_box(people: People) -> None:
    """A box that died between ask and commit gets the same verdict for the patient's next scan.

    The use is then the new record's: the first one has none any more. Even after the code's
    time: the patient was in time.
    """
    _, card = people.enrol()
    code, lost, again = issue(people, card), new_record_id(AT), new_record_id(AT)
    first = judge(people, code, id=lost)
    assert judge(people, code, id=again, after=timedelta(minutes=5)) == first
    with people.database.unit():
        assert not people.cards.report_use(code, BOX, lost, AT)
        assert people.cards.report_use(code, BOX, again, AT)
    assert judge(people, code, id=lost).reason is Reason.CODE_USED


def test_looking_consumes_nothing(people: People) -> None:
    """Without consume the code stays good for whoever comes first."""
    person, card = people.enrol()
    code = issue(people, card)
    assert judge(people, code, consume=False) == Judgement.accepted(person.id, consumed=False)
    assert judge(people, code, box=OTHER_BOX).consumed


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (-10 * SECOND, Reason.CODE_FUTURE),
        (-3 * SECOND, None),
        (timedelta(), None),
        (59 * SECOND, None),
        (60 * SECOND, Reason.CODE_EXPIRED),
    ],
)
def test_a_code_is_good_in_its_time(
    people: People, after: timedelta, reason: Reason | None
) -> None:
    """From the second of its issue, less some seconds of clock error, for sixty seconds."""
    _, card = people.enrol()
    assert judge(people, issue(people, card), after=after).reason is reason


def test_a_used_code_that_expired_is_expired(people: People) -> None:
    """The time is judged before the use: the clerk is told to ask for a new code."""
    _, card = people.enrol()
    code = issue(people, card)
    judge(people, code)
    late = judge(people, code, box=OTHER_BOX, after=timedelta(minutes=2))
    assert late.reason is Reason.CODE_EXPIRED


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (CardState.SUSPENDED, Reason.CARD_SUSPENDED),
        (CardState.CANCELLED, Reason.CARD_CANCELLED),
    ],
)
def test_a_card_that_does_not_stand_is_refused(
    people: People, state: CardState, reason: Reason
) -> None:
    """Codes issued before, static and dynamic, are refused, and nothing is used up."""
    _, card = people.enrol()
    codes = [people.cards.static_code(card), issue(people, card)]
    with people.database.unit():
        step = people.cards.suspend if state is CardState.SUSPENDED else people.cards.cancel
        step(card.id, AT, CLERK)
    for code in codes:
        judged = judge(people, code)
        assert (judged.verdict, judged.reason, judged.person) == (Verdict.REFUSED, reason, None)
    used = people.database.execute("SELECT used_id FROM issued_code").fetchall()
    assert used == [(None,)]


def test_a_resumed_card_is_good_again(people: People) -> None:
    """Resuming a card makes its codes good as they were."""
    _, card = people.enrol()
    with people.database.unit():
        people.cards.suspend(card.id, AT, CLERK)
        people.cards.resume(card.id, AT, CLERK)
    assert judge(people, people.cards.static_code(card)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("text", ["A" * 64 + ":1", "B" * 48 + ":1", f"{'C' * 64}:0:{'D' * 32}"])
def test_an_id_nobody_has_is_unknown(people: People, text: str) -> None:
    """Ids of 64 and of 48 characters are looked up; who is not found is unknown."""
    people.enrol()
    assert judge(people, text).reason is Reason.CODE_UNKNOWN


def test_a_tail_of_another_card_is_spliced(people: People) -> None:
    """A fresh tail on somebody else's id is named for what it is, and spends no code."""
    _, victim = people.enrol()
    _, thief = people.enrol(make_resident(1, "张三"))
    code = parse_dynamic(issue(people, thief))
    assert judge(people, build_code(replace(code, ehc_id=victim.ehc_id))).reason is (
        Reason.CODE_SPLICED
    )
    assert judge(people, build_code(code)).consumed


@pytest.mark.parametrize("signed", [True, False])
def test_a_bare_validity_of_ours_is_spliced(people: People, signed: bool) -> None:
    """Validity alone, from a national code or cut from a signed one, proves nothing."""
    _, victim = people.enrol()
    _, thief = people.enrol(make_resident(1, "张三"))
    validity = parse_dynamic(issue(people, thief, signed=signed)).validity
    text = build_code(DynamicCode(victim.ehc_id, validity))
    assert judge(people, text).reason is Reason.CODE_SPLICED


def test_an_invented_tail_is_forged(people: People) -> None:
    """A validity that our key never made, and a signature that does not hold."""
    _, card = people.enrol()
    code = parse_dynamic(issue(people, card))
    forged = sign_extension(
        STD.new_signing_key(),
        replace(code, extension=None),
        kid=CODE_KID,
        nonce=b"1234",
        issued_at=AT,
        ttl_seconds=60,
    )
    for text in (
        build_code(DynamicCode(card.ehc_id, "0" * 32)),
        build_code(forged),
        build_code(replace(code, payment="99")),
    ):
        assert judge(people, text).reason is Reason.CODE_FORGED


def test_a_signed_code_outside_the_ledger_is_unknown(people: People) -> None:
    """After a restored backup a genuine code cannot be proved unused: it is not accepted."""
    _, card = people.enrol()
    bare = DynamicCode(card.ehc_id, people.keys.build_validity(AT))
    text = build_code(people.keys.sign_extension(bare, AT, 60))
    assert judge(people, text).reason is Reason.CODE_UNKNOWN


def test_codes_of_another_domain_are_told_apart(people: People) -> None:
    """A foreign key id, or eleven digits in the extension's place: another issuer's code."""
    _, card = people.enrol()
    code = replace(parse_dynamic(issue(people, card)), extension=None)
    foreign = sign_extension(
        STD.new_signing_key(), code, kid=CODE_KID + 1, nonce=b"1234", issued_at=AT, ttl_seconds=60
    )
    digits = replace(code, extension=ForeignExtension("12345678901"))
    for text in (build_code(foreign), build_code(digits)):
        assert judge(people, text).reason is Reason.CODE_OTHER_DOMAIN


def test_a_temporary_code_is_genuine_by_any_key_its_box_ever_had(people: People) -> None:
    """Whose it is is not known before its box reports; what no key of that box signed is forged,
    whatever number it claims."""
    first, second, stranger = (STD.new_signing_key() for _ in range(3))
    number = people.add_box(BOX, first)
    people.add_box(BOX, second)
    other = people.add_box(OTHER_BOX, STD.new_signing_key())
    for key, kid in ((first, 1), (second, 2)):
        judged = judge(people, build_code(sign_temporary(key, number, kid, 5)))
        assert (judged.verdict, judged.reason) == (
            Verdict.PROVISIONAL,
            Reason.CODE_TEMPORARY_UNKNOWN,
        )
    for code in (
        sign_temporary(stranger, number, 1, 5),
        sign_temporary(second, number, 1, 5),
        sign_temporary(first, other, 1, 5),
        sign_temporary(first, number + 100, 1, 5),
    ):
        judged = judge(people, build_code(code))
        assert (judged.verdict, judged.reason) == (Verdict.REFUSED, Reason.CODE_FORGED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.CODE_EMPTY),
        ("A" * 3000, Reason.CODE_TOO_LONG),
        ("\x00" + "A" * 64 + ":1", Reason.CODE_CONTROL_CHARACTER),
        ("a" * 64 + ":1", Reason.CODE_LOWER_CASE),
        ("A" * 64 + ":7", Reason.CODE_TYPE_UNKNOWN),
        ("28763443825664394", Reason.CODE_UNKNOWN),
    ],
)
def test_what_is_not_a_code_has_its_reason(people: People, text: str, reason: Reason) -> None:
    """The grammar's reason is the verdict's; a text of no grammar of ours is unknown."""
    judged = judge(people, text)
    assert (judged.verdict, judged.reason) == (Verdict.REFUSED, reason)
