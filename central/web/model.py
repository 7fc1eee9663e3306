"""The table of answers kept under their idempotency keys."""

import peewee

from central.storage.table import Table


class KeptAnswer(Table):
    """What a write was answered; ``answer`` is sealed, ``request`` a keyed token."""

    actor = peewee.TextField()
    key = peewee.TextField()
    request = peewee.BlobField()
    answer = peewee.BlobField()
    at = peewee.BigIntegerField(index=True)

    class Meta:
        table_name = "kept_answer"
        primary_key = peewee.CompositeKey("actor", "key")


MODELS: tuple[type[Table], ...] = (KeptAnswer,)
