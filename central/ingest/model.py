"""The ledger's tables at central: positions with marks, signed heads, what is parked, forks.

The key of all is (box, epoch, seq). Bodies of interpreted rows are not kept: what they said is in
the features' own tables, and a mark is enough to verify the chain.
"""

from enum import IntEnum

import peewee

from central.storage.table import Table


class Standing(IntEnum):
    """What central did with a position of a box's ledger."""

    INTERPRETED = 1
    PARKED = 2
    TOMBSTONED = 3  # known from a tombstone only: hash and id, no mark


class LedgerPosition(Table):
    """One row of a box's ledger. ``prev``, ``lane``, ``born``, ``body_hash`` are its mark."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    standing = peewee.IntegerField()
    id = peewee.BlobField()
    hash = peewee.BlobField()
    prev = peewee.BlobField(null=True)
    lane = peewee.IntegerField(null=True)
    born = peewee.IntegerField(null=True)
    body_hash = peewee.BlobField(null=True)
    received_at = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "seq")
        without_rowid = True


class LedgerHead(Table):
    """The furthest signed head of an epoch, with the batch signature that proves it.

    ``hashes`` are the carried rows' hashes, joined: the signature covers them. ``received``
    counts the rows taken into custody, so that one taken away later is noticed.
    """

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    hash = peewee.BlobField()
    suite = peewee.IntegerField()
    key_id = peewee.IntegerField()
    signature = peewee.BlobField()
    hashes = peewee.BlobField()
    received = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch")
        without_rowid = True


class LedgerAnchor(Table):
    """Up to where a box's epoch is in custody without a gap: what central countersigns."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    hash = peewee.BlobField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch")
        without_rowid = True


class LedgerEncapsulation(Table):
    """A wrapped body key of a box; it stays sealed here."""

    box = peewee.TextField(column_name="box_id")
    id = peewee.BlobField()
    wrapped = peewee.BlobField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "id")
        without_rowid = True


class LedgerParked(Table):
    """A row in custody that could not be interpreted, with its sealed body, to be replayed."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    reason = peewee.TextField()
    body = peewee.BlobField()
    parked_at = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "seq")


class LedgerFork(Table):
    """Evidence against a box: a hash that contradicts what it signed before."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    hash = peewee.BlobField()
    known = peewee.BlobField()
    reason = peewee.TextField()
    found_at = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "seq", "hash")


class LedgerEvidence(Table):
    """One line of a fork at one place. ``head`` is the signed head of the batch it came in: what
    proves that the box signed this hash. The row is null where only a head is known; its body is
    kept of the line that came second, for nothing of it is interpreted."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    hash = peewee.BlobField()
    id = peewee.BlobField(null=True)
    lane = peewee.IntegerField(null=True)
    born = peewee.IntegerField(null=True)
    prev = peewee.BlobField(null=True)
    body = peewee.BlobField(null=True)
    head = peewee.BlobField()
    taken_at = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "seq", "hash")


class LedgerCrash(Table):
    """How often a row ended this process; the third time it is parked."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    seq = peewee.IntegerField()
    hash = peewee.BlobField()
    count = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "seq", "hash")


class LedgerLost(Table):
    """Sequences that a box has named as lost, both included; neither overlapping nor touching."""

    box = peewee.TextField(column_name="box_id")
    epoch = peewee.IntegerField()
    first = peewee.IntegerField()
    last = peewee.IntegerField()
    record = peewee.BlobField()
    told_at = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("box", "epoch", "first")
        without_rowid = True


# One record of a box is interpreted once, wherever else its id stands.
LedgerPosition.add_index(
    LedgerPosition.box,
    LedgerPosition.id,
    unique=True,
    where=(LedgerPosition.standing == Standing.INTERPRETED.value),
    name="ledger_position_interpreted",
)
LedgerPosition.add_index(
    LedgerPosition.box,
    where=(LedgerPosition.standing == Standing.TOMBSTONED.value),
    name="ledger_position_tombstoned",
)

LedgerParked.add_index(LedgerParked.box, LedgerParked.reason, name="ledger_parked_box_id_reason")

MODELS: tuple[type[Table], ...] = (
    LedgerPosition,
    LedgerHead,
    LedgerAnchor,
    LedgerEncapsulation,
    LedgerParked,
    LedgerFork,
    LedgerEvidence,
    LedgerCrash,
    LedgerLost,
)
