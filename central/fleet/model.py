"""The fleet's tables. A box's pair key is a sealed column; its private keys are never here."""

import peewee

from central.storage.table import Table


class Institution(Table):
    """A body that runs sites (a hospital group, a health bureau)."""

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()


class Site(Table):
    """A hospital or campus; ``name`` is what labels show."""

    id = peewee.TextField(primary_key=True)
    institution = peewee.ForeignKeyField(Institution, index=False)
    name = peewee.TextField()


class Counter(Table):
    """A workplace at a site."""

    site = peewee.ForeignKeyField(Site, index=False)
    name = peewee.TextField()

    class Meta:
        indexes = ((("site", "name"), True),)


class BoxRow(Table):
    """A box; ``id`` is its ``<site>/<box>``, ``number`` the 4 bytes in temporary codes."""

    id = peewee.TextField(primary_key=True)
    number = peewee.IntegerField(unique=True)
    counter = peewee.ForeignKeyField(Counter)
    state = peewee.TextField()
    state_at = peewee.BigIntegerField()
    state_reason = peewee.TextField()
    pair_key = peewee.BlobField()

    class Meta:
        table_name = "box"


class BoxKey(Table):
    """A public signing key of a box; former ones stay, old batches are judged by them."""

    box = peewee.ForeignKeyField(BoxRow, index=False)
    key_id = peewee.IntegerField()
    suite = peewee.IntegerField()
    public = peewee.BlobField()
    since = peewee.BigIntegerField()

    class Meta:
        indexes = ((("box", "key_id"), True),)


class Certificate(Table):
    """A client certificate issued to a box; ``serial`` in hex, ``fingerprint`` SHA-256."""

    serial = peewee.TextField(primary_key=True)
    box = peewee.ForeignKeyField(BoxRow)
    fingerprint = peewee.BlobField(unique=True)
    not_before = peewee.BigIntegerField()
    not_after = peewee.BigIntegerField()


MODELS: tuple[type[Table], ...] = (Institution, Site, Counter, BoxRow, BoxKey, Certificate)
