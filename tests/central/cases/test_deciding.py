"""A case on its way to a decision: its states, its acts, and what the boxes are told."""

from datetime import timedelta
from itertools import pairwise

import pytest

from central.cards.states import CardState
from central.cases.case import Case, Evidence
from central.cases.kinds import KINDS, CaseKind, Outcome
from central.cases.states import CASE_STEPS, CaseState
from central.fleet.states import BoxState
from central.patients.person import PersonId
from shared.errors import Malformed, OneCodeError, Refused
from shared.ids import BoxId, RecordId, new_record_id
from shared.joining import parse_invite
from shared.notices import MOST_CHARACTERS, NoticeKind
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, OTHER_BOX, People

NOTE = "两边都打过电话"


def evidence(
    box: BoxId = BOX, record: RecordId | None = None, person: PersonId | None = None
) -> Evidence:
    return Evidence(AT, "放行", "let through", box, record, person, private="张*三")


def open_case(
    people: People, kind: CaseKind = CaseKind.CODE_USED_TWICE, *said: Evidence, subject: str = "s"
) -> Case:
    with people.database.unit():
        given = said or (evidence(), evidence(OTHER_BOX))
        id = people.cases.open(kind, subject, given, AT)
        return next(case for case in people.cases.list_all(None, None, 99) if case.id == id)


def decide(people: People, case: Case, outcome: Outcome, note: str = NOTE) -> str:
    with people.database.unit():
        return people.cases.decide(case.number, outcome, note, AT, CLERK).shown_once


def refusal(people: People, case: Case, outcome: Outcome, note: str = NOTE) -> Reason:
    with pytest.raises(OneCodeError) as raised:
        decide(people, case, outcome, note)
    return raised.value.reason


def test_a_case_goes_from_open_to_decided(people: People) -> None:
    """Assigned and given on; decided by a person with a note; then it is at its end."""
    case = open_case(people)
    assert (case.state, case.owner) == (CaseState.OPEN, "")
    for owner in ("李护士", "王主任"):
        with people.database.unit():
            case = people.cases.assign(case.number, owner, AT, CLERK)
        assert (case.state, case.owner) == (CaseState.ASSIGNED, owner)
    decide(people, case, Outcome.BOTH_STAND)
    case = people.cases.read(case.number)
    assert (case.state, case.outcome, case.note) == (CaseState.DECIDED, Outcome.BOTH_STAND, NOTE)
    assert (case.decided_by, case.decided_at) == (CLERK, AT)
    assert refusal(people, case, Outcome.MISUSE) is Reason.STATE_STEP
    with pytest.raises(Refused), people.database.unit():
        people.cases.assign(case.number, "x", AT, CLERK)


def test_the_table_has_one_end() -> None:
    """Every state leads to a decision, and nothing leads away from one."""
    assert set(CASE_STEPS) == set(CaseState)
    assert not CASE_STEPS[CaseState.DECIDED]
    assert all(CaseState.DECIDED in CASE_STEPS[each] for each in CaseState if CASE_STEPS[each])


@pytest.mark.parametrize(
    ("outcome", "note", "reason"),
    [
        (Outcome.BOTH_STAND, " ", Reason.REQUEST_MALFORMED),
        (Outcome.BOTH_STAND, "x" * 501, Reason.REQUEST_MALFORMED),
        (Outcome.REJOIN, NOTE, Reason.STATE_STEP),
    ],
)
def test_a_decision_needs_a_choice_of_its_kind_and_a_note(
    people: People, outcome: Outcome, note: str, reason: Reason
) -> None:
    """Nothing is decided by half."""
    case = open_case(people)
    assert refusal(people, case, outcome, note) is reason
    assert people.cases.read(case.number).state is CaseState.OPEN


def test_the_decision_goes_to_every_box_concerned(people: People) -> None:
    """Opened and decided, in words, with the box's own record; delivery is on record."""
    mine, theirs = new_record_id(AT), new_record_id(AT)
    case = open_case(
        people, CaseKind.CODE_USED_TWICE, evidence(BOX, mine), evidence(OTHER_BOX, theirs)
    )
    decide(people, case, Outcome.FIRST_STANDS)
    for box, record in ((BOX, mine), (OTHER_BOX, theirs)):
        told = {notice.kind: notice for notice in people.notices.list_waiting(box)}
        assert set(told) == {NoticeKind.CASE_OPENED, NoticeKind.CASE_DECIDED}
        decided = told[NoticeKind.CASE_DECIDED]
        assert (decided.record, decided.case) == (record.bytes, case.id.bytes)
        assert "撤销" in decided.zh
        assert "withdraws" in decided.en
        assert NOTE not in decided.zh  # a note is central's own
    told_of = people.cases.list_deliveries(case)
    assert {(each.box, each.acknowledged_at) for each in told_of} == {
        (str(BOX), None),
        (str(OTHER_BOX), None),
    }


def test_what_comes_after_a_decision_is_a_case_of_its_own(people: People) -> None:
    """Never added silently to what was decided; what was decided on does not come back."""
    record = new_record_id(AT)
    first = open_case(people, CaseKind.LATE_RECORD, evidence(BOX, record))
    decide(people, first, Outcome.IN_TIME)
    assert open_case(people, CaseKind.LATE_RECORD, evidence(BOX, record)) == people.cases.read(1)
    second = open_case(people, CaseKind.LATE_RECORD, evidence(BOX, new_record_id(AT)))
    assert second.number == 2
    assert second.state is CaseState.OPEN


def test_undecided_cases_are_ranked_by_their_deadline(people: People) -> None:
    """The most urgent first, of one site or of all; a deadline that passed is overdue."""
    late = open_case(people, CaseKind.LATE_RECORD, evidence(OTHER_BOX))
    fork = open_case(people, CaseKind.LEDGER_FORK, evidence(BOX))
    code = open_case(people, CaseKind.CODE_USED_TWICE)
    assert [each.number for each in people.cases.list_undecided()] == [
        fork.number,
        code.number,
        late.number,
    ]
    assert [each.number for each in people.cases.list_undecided(OTHER_BOX.site)] == [
        code.number,
        late.number,
    ]
    assert not fork.is_overdue(AT + timedelta(hours=4))
    assert fork.is_overdue(AT + timedelta(hours=5))
    decide(people, late, Outcome.IN_TIME)
    assert late.number not in {each.number for each in people.cases.list_undecided()}
    assert not people.cases.read(late.number).is_overdue(AT + timedelta(days=9))


def test_evidence_is_bounded_and_counted(people: People) -> None:
    """A box that was away for long is one case, and no page grows without an end."""
    for _ in range(60):
        case = open_case(people, CaseKind.LATE_RECORD, evidence(BOX, new_record_id(AT)))
    assert case.evidence == 60
    assert len(people.cases.list_evidence(case)) == 50
    assert len(people.notices.list_waiting(BOX)) == 1


def test_misuse_suspends_the_card(people: People) -> None:
    """The outcome's act is done with the decision, or neither is."""
    person, card = people.enrol()
    case = open_case(people, CaseKind.CODE_USED_TWICE, evidence(person=person.id))
    decide(people, case, Outcome.MISUSE)
    assert people.cards.read(card.id).state is CardState.SUSPENDED
    wrong = open_case(
        people, CaseKind.CARD_CANCELLED_MEANWHILE, evidence(person=person.id), subject="card"
    )
    decide(people, wrong, Outcome.CARD_RESTORED)
    assert people.cards.read(card.id).state is CardState.ACTIVE


def test_an_act_that_is_refused_decides_nothing(people: People) -> None:
    """A cancelled card needs a registration: the case stays, nobody is told."""
    person, card = people.enrol()
    with people.database.unit():
        people.cards.cancel(card.id, AT, CLERK)
    case = open_case(people, CaseKind.CARD_CANCELLED_MEANWHILE, evidence(person=person.id))
    assert refusal(people, case, Outcome.CARD_RESTORED) is Reason.STATE_STEP
    assert people.cases.read(case.number).state is CaseState.OPEN
    (notice,) = people.notices.list_waiting(BOX)
    assert notice.kind == NoticeKind.CASE_OPENED


def test_a_fork_ends_with_an_invite_or_outside(people: People) -> None:
    """The invite is shown once, to whoever decided; it is in no table."""
    with people.database.unit():
        people.fleet.mark_quarantined(BOX, "fork", AT)
        people.fleet.mark_quarantined(OTHER_BOX, "fork", AT)
    rejoin = open_case(people, CaseKind.LEDGER_FORK, evidence(BOX))
    text = decide(people, rejoin, Outcome.REJOIN)
    assert parse_invite(text).box == str(BOX)
    dump = "\n".join(people.database.connection.iterdump())
    assert text not in dump
    out = open_case(people, CaseKind.LEDGER_FORK, evidence(OTHER_BOX), subject="other")
    assert decide(people, out, Outcome.SHUT_OUT) == ""
    with people.database.unit():
        assert people.fleet.box(OTHER_BOX).state is BoxState.REVOKED


def test_nothing_private_lies_open(people: People) -> None:
    """What was masked is sealed all the same, and so is the note."""
    case = open_case(people)
    decide(people, case, Outcome.BOTH_STAND)
    dump = "\n".join(people.database.connection.iterdump())
    for clear in ("张*三", NOTE):
        assert clear not in dump
    assert [each.private for each in people.cases.list_evidence(case)] == ["张*三"] * 2


def test_every_kind_has_choices_with_consequences() -> None:
    """In both languages, within what a notice holds; no two deadlines are guessed alike."""
    assert set(KINDS) == set(CaseKind)
    for facts in KINDS.values():
        assert len(facts.choices) >= 2
        for choice in facts.choices:
            assert all(choice[1:7]), choice
            assert len(f"Case 99999 is decided ({facts.en}): {choice.told_en}") <= MOST_CHARACTERS
            assert facts.find(choice.outcome) is choice
            assert choice.en.isascii()
    assert all(a.within for a, _ in pairwise(KINDS.values()))


def test_an_owner_is_a_name(people: People) -> None:
    """One line of plain text."""
    case = open_case(people)
    for owner in (" ", "a\nb", "x" * 65):
        with pytest.raises(Malformed), people.database.unit():
            people.cases.assign(case.number, owner, AT, CLERK)
