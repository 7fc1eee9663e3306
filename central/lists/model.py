"""The tables of the lists. Cards are named by the lists' tokens; what a box is told of a person is
sealed. What is due is noted by triggers beside the tables it is made from.
"""

import peewee

from central.cards.model import CardRow
from central.patients.model import PersonRow
from central.storage.table import Table


class ListStanding(Table):
    """How far a list has come; ``as_of`` is when nothing that belongs in it was left out."""

    what = peewee.TextField()
    site = peewee.TextField()
    revision = peewee.BigIntegerField()
    count = peewee.BigIntegerField()
    digest = peewee.BlobField()
    as_of = peewee.BigIntegerField()

    class Meta:
        table_name = "list_standing"
        primary_key = peewee.CompositeKey("what", "site")


class ListRevoked(Table):
    """A token of a card that identifies nobody; without a ``reason`` it does so again."""

    token = peewee.BlobField(primary_key=True)
    card = peewee.ForeignKeyField(CardRow)
    reason = peewee.TextField(null=True)
    revision = peewee.BigIntegerField()

    class Meta:
        table_name = "list_revoked"


class ListPerson(Table):
    """A person as the boxes of a site are told of them; ``entry`` is sealed."""

    site = peewee.TextField()
    person = peewee.ForeignKeyField(PersonRow)
    entry = peewee.BlobField()
    revision = peewee.BigIntegerField()
    seen_at = peewee.BigIntegerField()

    class Meta:
        table_name = "list_person"
        primary_key = peewee.CompositeKey("site", "person")


class DueCard(Table):
    """A card whose state or ids have changed since the list was composed."""

    card_id = peewee.BlobField(primary_key=True)

    class Meta:
        table_name = "list_due_card"


class DuePerson(Table):
    """A person of whom something that boxes are told has changed."""

    person_id = peewee.BlobField(primary_key=True)

    class Meta:
        table_name = "list_due_person"


ListRevoked.add_index(ListRevoked.revision, ListRevoked.token, name="list_revoked_revision")
ListPerson.add_index(
    ListPerson.site, ListPerson.revision, ListPerson.person, name="list_person_revision"
)

MODELS: tuple[type[Table], ...] = (ListStanding, ListRevoked, ListPerson, DueCard, DuePerson)
