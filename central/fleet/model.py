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
    epoch = peewee.IntegerField(default=1)  # of its ledger: a new one each time it joins again
    told_epoch = peewee.IntegerField(default=0)  # which the broker was last told of; 0: none
    machine = peewee.TextField(default="")  # serial number

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
    """A client certificate issued to a box; ``serial`` in hex, ``fingerprint`` SHA-256.

    ``listed`` is the number of the first list of revoked certificates that names it.
    """

    serial = peewee.TextField(primary_key=True)
    box = peewee.ForeignKeyField(BoxRow)
    fingerprint = peewee.BlobField(unique=True)
    not_before = peewee.BigIntegerField()
    not_after = peewee.BigIntegerField()
    der = peewee.BlobField(default=b"")
    revoked_at = peewee.BigIntegerField(null=True)
    revoked_why = peewee.TextField(default="")
    listed = peewee.IntegerField(null=True)


Certificate.add_index(
    Certificate.serial,
    name="certificate_unlisted",
    where=Certificate.revoked_at.is_null(False) & Certificate.listed.is_null(),
)


class RevocationList(Table):
    """The newest list of revoked certificates; ``written``: the number last put into its file."""

    number = peewee.IntegerField()
    made_at = peewee.BigIntegerField()
    pem = peewee.BlobField()
    written = peewee.IntegerField()


class InviteRow(Table):
    """A one-time leave to join; of its secret only a keyed token is here.

    ``used_by`` is a keyed token of the keys that used it: the same box may ask again.
    """

    number = peewee.AutoField()
    token = peewee.BlobField(unique=True)
    box_id = peewee.TextField(index=True)
    site_name = peewee.TextField()
    counter = peewee.TextField()
    machine = peewee.TextField()
    scanner = peewee.TextField()
    printer = peewee.TextField()
    made_at = peewee.BigIntegerField()
    made_by = peewee.TextField()
    expires_at = peewee.BigIntegerField()
    used_at = peewee.BigIntegerField(null=True)
    used_by = peewee.BlobField(null=True)
    certificate = peewee.TextField(null=True)
    withdrawn_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "invite"


MODELS: tuple[type[Table], ...] = (
    Institution,
    Site,
    Counter,
    BoxRow,
    BoxKey,
    Certificate,
    RevocationList,
    InviteRow,
)
