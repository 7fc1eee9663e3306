"""The audit's tables: rows that nothing changes, seals that chain them, the head; what waits."""

import peewee

from central.storage.table import Table


class AuditRow(Table):
    """What was done. ``facts`` is JSON and never holds personal data in clear."""

    seq = peewee.AutoField()
    at = peewee.BigIntegerField()
    act = peewee.TextField()
    subject = peewee.TextField(index=True)
    actor = peewee.TextField(index=True)
    facts = peewee.TextField()


class AuditSeal(Table):
    """The place of a row in the chain: ``mac`` covers the seal before and the row."""

    position = peewee.IntegerField(primary_key=True)
    row = peewee.ForeignKeyField(AuditRow, unique=True)
    mac = peewee.BlobField()


class AuditHead(Table):
    """How far the chain has got, so that nobody takes rows off its end."""

    id = peewee.IntegerField(primary_key=True, constraints=[peewee.Check("id = 1")])
    position = peewee.IntegerField()
    mac = peewee.BlobField()


class AuditWaiting(Table):
    """What was done for a patient while the audit took nothing; the sealer takes it in later."""

    at = peewee.BigIntegerField()
    act = peewee.TextField()
    subject = peewee.TextField()
    actor = peewee.TextField()
    facts = peewee.TextField()


MODELS: tuple[type[Table], ...] = (AuditRow, AuditSeal, AuditHead, AuditWaiting)
