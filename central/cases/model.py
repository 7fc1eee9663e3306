"""The tables of cases. Words and subjects name no person; what is private is sealed."""

import peewee

from central.cases.states import CaseState
from central.storage.table import Table


class CaseRow(Table):
    """One case. ``subject`` is what it is about: a token, a number, a box and its epoch."""

    id = peewee.BlobField(primary_key=True)
    number = peewee.IntegerField(unique=True)
    kind = peewee.TextField()
    subject = peewee.TextField()
    state = peewee.TextField()
    opened_at = peewee.BigIntegerField()
    due_at = peewee.BigIntegerField()
    owner = peewee.TextField()
    evidence = peewee.IntegerField()
    outcome = peewee.TextField(null=True)
    decided_at = peewee.BigIntegerField(null=True)
    decided_by = peewee.TextField()
    note = peewee.BlobField(null=True)  # sealed

    class Meta:
        table_name = "conflict_case"
        indexes = ((("subject", "kind"), False),)


class EvidenceRow(Table):
    """What one side says; ``number`` is its place in the case."""

    case = peewee.ForeignKeyField(CaseRow, index=False)
    number = peewee.IntegerField()
    at = peewee.BigIntegerField()
    zh = peewee.TextField()
    en = peewee.TextField()
    box = peewee.TextField(column_name="box_id", null=True)
    record = peewee.BlobField(null=True)
    person = peewee.BlobField(null=True)
    counter = peewee.TextField()
    operator = peewee.TextField()
    private = peewee.BlobField(null=True)  # sealed

    class Meta:
        table_name = "case_evidence"
        primary_key = peewee.CompositeKey("case", "number")
        without_rowid = True
        indexes = ((("box", "case"), False),)


class CaseBoxRow(Table):
    """A box that a case concerns."""

    case = peewee.ForeignKeyField(CaseRow, index=False)
    box = peewee.TextField(column_name="box_id")

    class Meta:
        table_name = "case_box"
        primary_key = peewee.CompositeKey("case", "box")
        without_rowid = True
        indexes = ((("box", "case"), False),)


_UNDECIDED = CaseRow.state != CaseState.DECIDED.value
CaseRow.add_index(
    CaseRow.kind, CaseRow.subject, unique=True, where=_UNDECIDED, name="conflict_case_undecided"
)
CaseRow.add_index(CaseRow.due_at, where=_UNDECIDED, name="conflict_case_due")

MODELS: tuple[type[Table], ...] = (CaseRow, EvidenceRow, CaseBoxRow)
