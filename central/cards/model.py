"""The tables of cards. Ehc ids and codes are personal: only sealed, or as keyed tokens."""

import peewee

from central.patients.model import PersonRow
from central.storage.table import Table


class CardRow(Table):
    """The one account of a person. ``id`` (UUIDv7) is its public number and tells nothing."""

    id = peewee.BlobField(primary_key=True)
    person = peewee.ForeignKeyField(PersonRow, unique=True)
    state = peewee.TextField()
    opened_at = peewee.BigIntegerField()

    class Meta:
        table_name = "card"


class CardStepRow(Table):
    """Where a card went when: an offline scan is judged by the card's state at its birth."""

    card = peewee.ForeignKeyField(CardRow, index=False)
    at = peewee.BigIntegerField()
    before = peewee.TextField()
    after = peewee.TextField()

    class Meta:
        table_name = "card_step"
        primary_key = peewee.CompositeKey("card", "at")
        without_rowid = True


class EhcIdRow(Table):
    """An ``ehc_id`` that leads to a card; the newest is the one given out.

    A changed name or a new root key gives the card another; old stickers stay good.
    """

    token = peewee.BlobField(primary_key=True)
    card = peewee.ForeignKeyField(CardRow)
    ehc_id = peewee.BlobField()  # sealed
    root_version = peewee.IntegerField()
    made_at = peewee.BigIntegerField()

    class Meta:
        table_name = "card_ehc_id"


class IssuedCodeRow(Table):
    """One issued dynamic code: until when it is good, and which record used it up.

    ``token`` is of the whole text, ``tail_token`` of what a splicer would take from it.
    ``reported_at`` is when the row of the record that used it arrived.
    """

    token = peewee.BlobField(primary_key=True)
    tail_token = peewee.BlobField(index=True)
    card = peewee.ForeignKeyField(CardRow, index=False)
    issued_at = peewee.BigIntegerField()
    expires_at = peewee.BigIntegerField()
    used_box = peewee.TextField(null=True)
    used_id = peewee.BlobField(null=True)
    used_at = peewee.BigIntegerField(null=True)
    reported_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "issued_code"


class TemporaryCodeRow(Table):
    """A temporary code that a box gave; leads to a card for ever. ``box`` and ``id`` name the
    record that registered the person."""

    token = peewee.BlobField(primary_key=True)
    card = peewee.ForeignKeyField(CardRow)
    text = peewee.BlobField()  # sealed
    box = peewee.TextField()
    id = peewee.BlobField()
    kept_at = peewee.BigIntegerField()

    class Meta:
        table_name = "temporary_code"
        indexes = ((("box", "id"), True),)


class PatientLinkRow(Table):
    """A one-time link to a card's page. ``token`` is of the link, ``phone`` of the secret that the
    phone which opened it keeps; NULL until then, like ``opened_at`` and ``until_at``."""

    token = peewee.BlobField(primary_key=True)
    card = peewee.ForeignKeyField(CardRow)
    made_at = peewee.BigIntegerField()
    expires_at = peewee.BigIntegerField()
    phone = peewee.BlobField(null=True)
    opened_at = peewee.BigIntegerField(null=True)
    until_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "patient_link"


MODELS: tuple[type[Table], ...] = (
    CardRow,
    CardStepRow,
    EhcIdRow,
    IssuedCodeRow,
    TemporaryCodeRow,
    PatientLinkRow,
)
