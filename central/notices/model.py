"""The table of what boxes are told. Its words name no person."""

import peewee

from central.fleet.model import BoxRow
from central.storage.table import Table


class NoticeRow(Table):
    """One notice; ``acknowledged_at`` is NULL until the box has it on its disk."""

    id = peewee.BlobField(primary_key=True)
    box = peewee.ForeignKeyField(BoxRow, index=False)
    kind = peewee.TextField()
    zh = peewee.TextField()
    en = peewee.TextField()
    reason = peewee.TextField(null=True)
    record = peewee.BlobField(null=True)
    case = peewee.BlobField(column_name="case_id", null=True)
    posted_at = peewee.BigIntegerField()
    acknowledged_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "notice"


NoticeRow.add_index(
    NoticeRow.box,
    NoticeRow.id,
    where=NoticeRow.acknowledged_at.is_null(),
    name="notice_waiting",
)
NoticeRow.add_index(NoticeRow.case, where=NoticeRow.case.is_null(False), name="notice_case")

MODELS: tuple[type[Table], ...] = (NoticeRow,)
