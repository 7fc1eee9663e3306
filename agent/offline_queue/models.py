"""The queue's tables as peewee models: they own the schema, the migrations must give the same.

Bound to no database: whoever queries names one. Times are microseconds since 1970 UTC, hashes
32 bytes, record ids 16.
"""

import peewee
from peewee import SQL, BlobField, Check, CompositeKey, IntegerField, TextField


class EpochEntry(peewee.Model):
    """An epoch of the box's ledger: whose, and as of the last opening or settling its head, how
    many rows are settled and tombstoned, and the ``floor``: no row up to there is pending. ``lost``
    rows of it went with a damaged file (``LostRange``)."""

    number = IntegerField(primary_key=True)
    box = TextField()
    suite = IntegerField()
    begun = IntegerField()
    seq = IntegerField()
    hash = BlobField()
    floor = IntegerField()
    settled = IntegerField()
    tombstoned = IntegerField()
    lost = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        table_name = "epoch"


class RowEntry(peewee.Model):
    """A row of the ledger. ``tombstone`` is the id of the record that gave it up.

    One tree and no index: with two more pages to sync, an enqueue takes an eighth longer
    (measured). Pending rows are found from the epoch's floor upwards.
    """

    epoch = IntegerField()
    seq = IntegerField()
    id = BlobField()
    lane = IntegerField()
    born = IntegerField()
    prev = BlobField()
    body = BlobField(null=True)
    body_hash = BlobField()
    hash = BlobField()
    state = IntegerField()
    tombstone = BlobField(null=True)

    class Meta:
        table_name = "row"
        primary_key = CompositeKey("epoch", "seq")
        without_rowid = True
        constraints = (
            Check('"state" BETWEEN 0 AND 2'),
            Check('"body" IS NOT NULL OR "state" <> 0'),
            Check('("tombstone" IS NOT NULL) = ("state" = 2)'),
        )


class WaitingEntry(peewee.Model):
    """How many rows of a lane were pending as of the epoch's noted head."""

    epoch = IntegerField()
    lane = IntegerField()
    rows = IntegerField()

    class Meta:
        table_name = "waiting"
        primary_key = CompositeKey("epoch", "lane")
        without_rowid = True


class AnchorEntry(peewee.Model):
    """The furthest head that central countersigned; rows up to ``pruned`` are gone, of which so
    many were settled and tombstoned; ``pruned_hash`` is the last one's."""

    epoch = IntegerField(primary_key=True)
    seq = IntegerField()
    hash = BlobField()
    signature = BlobField()
    pruned = IntegerField()
    pruned_hash = BlobField()
    settled = IntegerField()
    tombstoned = IntegerField()

    class Meta:
        table_name = "anchor"


class EncapsulationEntry(peewee.Model):
    """A body key, wrapped for central; durable before the first row sealed under it."""

    id = BlobField(primary_key=True)
    wrapped = BlobField()
    made = IntegerField()

    class Meta:
        table_name = "encapsulation"
        without_rowid = True


class ConsumedCode(peewee.Model):
    """The keyed token of a code, and the record of this box that used it up."""

    token = BlobField(primary_key=True)
    id = BlobField()
    born = IntegerField()
    verdict = TextField()

    class Meta:
        table_name = "consumed_code"
        without_rowid = True


class LostRange(peewee.Model):
    """Sequences, both included, whose rows nobody could read out of a damaged file; ``record`` is
    the id of the one that tells central."""

    epoch = IntegerField()
    first = IntegerField()
    last = IntegerField()
    record = BlobField()

    class Meta:
        table_name = "lost_range"
        primary_key = CompositeKey("epoch", "first")
        without_rowid = True


MODELS = (
    EpochEntry,
    RowEntry,
    WaitingEntry,
    AnchorEntry,
    EncapsulationEntry,
    ConsumedCode,
    LostRange,
)
