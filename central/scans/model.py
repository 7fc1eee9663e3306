"""The tables of what boxes asked and reported. Codes are here only as keyed tokens.

Each table's key is (id, box): the id a record was born with, and the box that says so. That is
what makes an ask repeated, a row after its ask, an ask after its row and a row twice all one.
"""

import peewee

from central.storage.table import Table


class ScanRow(Table):
    """One scan: central's verdict on it, and the box's own once the record came.

    ``asked_at`` is NULL while no ask came, ``reported_at`` and all below it while no record did.
    """

    id = peewee.BlobField()
    box = peewee.TextField()
    code_token = peewee.BlobField()
    person = peewee.BlobField(null=True)
    verdict = peewee.TextField()
    reason = peewee.TextField(null=True)
    consumed = peewee.BooleanField()  # a dynamic code was used up by this scan
    judged_at = peewee.BigIntegerField()
    asked_at = peewee.BigIntegerField(null=True)
    counter = peewee.TextField()
    operator = peewee.TextField()
    medical_step = peewee.TextField()
    drill = peewee.BooleanField()
    reported_at = peewee.BigIntegerField(null=True)
    born_at = peewee.BigIntegerField(null=True)
    code_class = peewee.TextField(null=True)
    box_verdict = peewee.TextField(null=True)
    box_reason = peewee.TextField(null=True)
    decided_by = peewee.TextField(null=True)
    differs = peewee.BooleanField(null=True)

    class Meta:
        table_name = "scan"
        primary_key = peewee.CompositeKey("id", "box")
        indexes = ((("box", "id"), False),)


ScanRow.add_index(
    ScanRow.code_token,
    name="scan_temporary",
    where=ScanRow.reason == "code-temporary-unknown",
)


class ScanSequelRow(Table):
    """What came of a scan later: the same code shown again, or central's answer too late."""

    id = peewee.BlobField()
    box = peewee.TextField()
    kind = peewee.TextField()  # the record's kind
    first = peewee.BlobField()
    verdict = peewee.TextField()
    reason = peewee.TextField(null=True)
    born_at = peewee.BigIntegerField()
    reported_at = peewee.BigIntegerField()

    class Meta:
        table_name = "scan_sequel"
        primary_key = peewee.CompositeKey("id", "box")
        indexes = ((("first", "box"), False),)


class RegistrationRow(Table):
    """One registration at a counter: what central answered, and what the box says came of it."""

    id = peewee.BlobField()
    box = peewee.TextField()
    request_token = peewee.BlobField()
    person = peewee.BlobField(null=True)
    found = peewee.BooleanField(null=True)
    answered_at = peewee.BigIntegerField(null=True)
    counter = peewee.TextField()
    operator = peewee.TextField()
    drill = peewee.BooleanField()
    reported_at = peewee.BigIntegerField(null=True)
    born_at = peewee.BigIntegerField(null=True)
    outcome = peewee.TextField(null=True)
    reason = peewee.TextField(null=True)

    class Meta:
        table_name = "registration"
        primary_key = peewee.CompositeKey("id", "box")


class LabelStateRow(Table):
    """One state of one label; a later state is another row."""

    id = peewee.BlobField()
    box = peewee.TextField()
    label = peewee.BlobField()
    registration = peewee.BlobField()
    state = peewee.TextField()
    reason = peewee.TextField(null=True)
    conditions = peewee.TextField()  # joined by commas
    copy = peewee.IntegerField()
    reprint_reason = peewee.TextField()
    born_at = peewee.BigIntegerField()
    reported_at = peewee.BigIntegerField()

    class Meta:
        table_name = "label_state"
        primary_key = peewee.CompositeKey("id", "box")
        indexes = ((("label", "box"), False),)


MODELS: tuple[type[Table], ...] = (ScanRow, ScanSequelRow, RegistrationRow, LabelStateRow)
