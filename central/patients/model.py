"""The tables of persons. Names and numbers are sealed, and found by keyed tokens.

Nothing is overwritten that identifies somebody: a former name and a former index entry stay,
marked as former, and still lead to the person.
"""

import peewee

from central.storage.table import Table


class PersonRow(Table):
    """One person. ``id`` is a UUIDv7. The birth date is in the sealed resident id number."""

    id = peewee.BlobField(primary_key=True)
    sex = peewee.TextField()  # GB/T 2261.1: 0, 1, 2, 9
    registered_at = peewee.BigIntegerField()

    class Meta:
        table_name = "person"


class NameRow(Table):
    """A name of a person and when it held; the current one has no ``until_at``."""

    id = peewee.AutoField()
    person = peewee.ForeignKeyField(PersonRow)
    name = peewee.BlobField()  # sealed
    token = peewee.BlobField(index=True)
    since_at = peewee.BigIntegerField()
    until_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "person_name"


class DocumentRow(Table):
    """A document of a person; ``token`` is of type and number together."""

    id = peewee.AutoField()
    person = peewee.ForeignKeyField(PersonRow)
    type = peewee.TextField()
    number = peewee.BlobField()  # sealed
    token = peewee.BlobField()
    added_at = peewee.BigIntegerField()

    class Meta:
        table_name = "person_document"
        indexes = ((("token", "person"), True),)


class PhoneRow(Table):
    """A telephone number that was given for a person, and when it was last given."""

    person = peewee.ForeignKeyField(PersonRow, index=False)
    token = peewee.BlobField(index=True)
    number = peewee.BlobField()  # sealed
    given_at = peewee.BigIntegerField()

    class Meta:
        table_name = "person_phone"
        primary_key = peewee.CompositeKey("person", "token")


class IndexRow(Table):
    """A ``mindex_id``, as its keyed token, and whom it means.

    It is made of one document and one name: a changed name gives a new entry for each document,
    and the former ones stay with ``former_since_at``.
    """

    token = peewee.BlobField(primary_key=True)
    person = peewee.ForeignKeyField(PersonRow)
    document = peewee.ForeignKeyField(DocumentRow, index=False)
    name = peewee.ForeignKeyField(NameRow, index=False)
    made_at = peewee.BigIntegerField()
    former_since_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "person_index"


NameRow.add_index(
    NameRow.person, unique=True, where=NameRow.until_at.is_null(), name="person_name_current"
)
# A resident id number means one person, and a person has one: what a wrong merge would break.
DocumentRow.add_index(
    DocumentRow.token, unique=True, where=(DocumentRow.type == "01"), name="person_document_owner"
)
DocumentRow.add_index(
    DocumentRow.person, unique=True, where=(DocumentRow.type == "01"), name="person_document_one"
)

MODELS: tuple[type[Table], ...] = (PersonRow, NameRow, DocumentRow, PhoneRow, IndexRow)
