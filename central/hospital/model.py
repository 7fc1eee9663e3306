"""The tables that tie persons to a hospital's records. The database itself keeps them unique."""

import peewee

from central.patients.model import PersonRow
from central.storage.table import Table


class SitePatientRow(Table):
    """A site's patient id (EMPI) for a person; one is active for each person and site."""

    site = peewee.TextField()
    patient_id = peewee.TextField()
    person = peewee.ForeignKeyField(PersonRow)
    active = peewee.BooleanField()
    since_at = peewee.BigIntegerField()

    class Meta:
        table_name = "site_patient"
        primary_key = peewee.CompositeKey("site", "patient_id")


class RecordNumberRow(Table):
    """A number a site knows a patient by; of one type it belongs to one patient id there."""

    site = peewee.TextField()
    type = peewee.TextField()
    number = peewee.TextField()
    patient_id = peewee.TextField()
    since_at = peewee.BigIntegerField()

    class Meta:
        table_name = "record_number"
        primary_key = peewee.CompositeKey("site", "type", "number")
        indexes = ((("site", "patient_id"), False),)
        constraints = (
            peewee.SQL("FOREIGN KEY (site, patient_id) REFERENCES site_patient (site, patient_id)"),
        )


class SequenceRow(Table):
    """The last number a site has given out of one kind."""

    site = peewee.TextField()
    kind = peewee.TextField()
    last = peewee.BigIntegerField()

    class Meta:
        table_name = "site_sequence"
        primary_key = peewee.CompositeKey("site", "kind")


SitePatientRow.add_index(
    SitePatientRow.site,
    SitePatientRow.person,
    unique=True,
    where=SitePatientRow.active,
    name="site_patient_active",
)

MODELS: tuple[type[Table], ...] = (SitePatientRow, RecordNumberRow, SequenceRow)
