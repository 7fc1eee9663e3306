"""The table of what boxes last said of themselves. Nothing in it is of a patient."""

import peewee

from central.fleet.model import BoxRow
from central.storage.table import Table


class BoxLive(Table):
    """The latest of one box. ``epoch``, ``created`` and ``said_at`` order its reports."""

    box = peewee.ForeignKeyField(BoxRow, primary_key=True, index=False)
    online = peewee.BooleanField()
    since = peewee.BigIntegerField()
    heard_at = peewee.BigIntegerField(null=True)
    epoch = peewee.BigIntegerField()
    created = peewee.BigIntegerField()
    said_at = peewee.BigIntegerField()
    revision = peewee.BigIntegerField()
    report = peewee.BlobField(null=True)  # a Reported as msgpack

    class Meta:
        table_name = "box_live"


MODELS: tuple[type[Table], ...] = (BoxLive,)
