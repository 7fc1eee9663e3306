"""Any order of asks, rows, repeats and crashes: a code is used once, and all hear the same."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from central.scans.model import ScanRow
from shared.ids import BoxId, RecordId, new_record_id
from shared.messages import ScanReply, Verdict
from tests.central.people import AT, BOX, OTHER_BOX, make_resident, open_people
from tests.central.scans.asking import make_ask, make_origin, make_record

BOXES = st.sampled_from((BOX, OTHER_BOX))


@dataclass
class Shown:
    """A scan as its box knows it, and what central must say of it."""

    box: BoxId
    id: RecordId
    code: str
    expected: Verdict
    answered: Verdict
    took: bool  # whether it took the code's use when it was judged


@dataclass
class Holder:
    """Which scan holds a code's one use."""

    box: BoxId
    id: RecordId
    reported: bool = False


class OneUse(RuleBasedStateMachine):
    """Two boxes, one card's codes; the model is a dictionary of who holds what."""

    codes = Bundle("codes")
    shown = Bundle("shown")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        directory = self.stack.enter_context(TemporaryDirectory())
        self.people = self.stack.enter_context(open_people(Path(directory)))
        self.holders: dict[str, Holder] = {}

    def teardown(self) -> None:
        self.stack.close()

    @initialize(target=codes)
    def issue(self) -> str:
        return self._issue()

    @rule(target=codes)
    def issue_another(self) -> str:
        return self._issue()

    @rule(target=shown, box=BOXES, code=codes)
    def ask(self, box: BoxId, code: str) -> Shown:
        """A patient shows the code; the box asks and hears the answer."""
        id = new_record_id(AT)
        expected = self._take(box, id, code)
        assert self._answer(box, id, code) is expected
        return Shown(box, id, code, expected, expected, expected is Verdict.ACCEPTED)

    @rule(scan=shown)
    def ask_again(self, scan: Shown) -> None:
        """The broker delivers an ask once more, before or after its row."""
        assert self._answer(scan.box, scan.id, scan.code) is scan.expected

    @rule(target=shown, scan=consumes(shown))
    def report(self, scan: Shown) -> Shown:
        """The row arrives, maybe once more, with the verdict that the box was given."""
        self._report(scan)
        return scan

    @rule(target=shown, box=BOXES, code=codes)
    def report_offline(self, box: BoxId, code: str) -> Shown:
        """A scan that was never asked: the box let it through by itself."""
        id = new_record_id(AT)
        expected = self._take(box, id, code)
        took = expected is Verdict.ACCEPTED
        scan = Shown(box, id, code, expected, Verdict.PROVISIONAL, took)
        self._report(scan)
        return scan

    @rule(target=shown, box=BOXES, code=codes)
    def report_refused(self, box: BoxId, code: str) -> Shown:
        """A scan the box refused by itself uses nothing up, whatever central would have said."""
        id = new_record_id(AT)
        holder = self.holders.get(code)
        free = holder is None or (holder.box == box and not holder.reported)
        self._record(box, id, code, Verdict.REFUSED)
        expected = Verdict.ACCEPTED if free else Verdict.REFUSED
        return Shown(box, id, code, expected, Verdict.REFUSED, took=False)

    @invariant()
    def one_code_one_reported_use(self) -> None:
        """Of all reported scans of one code at most one used it up, and the ledger names it."""
        rows = ScanRow.select().where(ScanRow.consumed, ScanRow.reported_at.is_null(False))
        used = [(row.code_token, row.box, row.id) for row in rows]
        assert len({token for token, _, _ in used}) == len(used)
        ledger = self.people.database.execute("SELECT token, used_box, used_id FROM issued_code")
        assert set(used) <= set(ledger.fetchall())

    def _issue(self) -> str:
        _, card = self.people.enrol(make_resident(1, "张三"))
        with self.people.database.unit():
            return self.people.cards.issue_dynamic(card, AT, 255)

    def _report(self, scan: Shown) -> None:
        holder = self.holders.get(scan.code)
        if scan.took and holder is not None:
            if (holder.box, holder.id) == (scan.box, scan.id):
                holder.reported = True
            else:
                scan.expected = Verdict.REFUSED
        self._record(scan.box, scan.id, scan.code, scan.answered)

    def _take(self, box: BoxId, id: RecordId, code: str) -> Verdict:
        holder = self.holders.get(code)
        if holder is None or (holder.box == box and not holder.reported):
            self.holders[code] = Holder(box, id)
            return Verdict.ACCEPTED
        return Verdict.REFUSED

    def _answer(self, box: BoxId, id: RecordId, code: str) -> Verdict:
        with self.people.database.unit():
            reply = self.people.scans.answer(box, make_ask(code, id=id, box=box), AT)
        assert isinstance(reply, ScanReply)
        return reply.verdict

    def _record(self, box: BoxId, id: RecordId, code: str, verdict: Verdict) -> None:
        record = make_record(code, origin=make_origin(box=box), verdict=verdict)
        with self.people.database.unit():
            self.people.scans.record_scan(box, id, record, AT)


TestOneUse = OneUse.TestCase
TestOneUse.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
