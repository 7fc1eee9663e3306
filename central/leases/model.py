"""The tables of offline leases. ``policy`` is a ``LeasePolicy`` as msgpack."""

import peewee

from central.fleet.model import BoxRow, Site
from central.storage.table import Table


class SitePolicy(Table):
    """How far the boxes of a site go alone, where it is not the usual."""

    site = peewee.ForeignKeyField(Site, primary_key=True, index=False)
    policy = peewee.BlobField()
    set_at = peewee.BigIntegerField()
    set_by = peewee.TextField()

    class Meta:
        table_name = "lease_policy"


class Granted(Table):
    """The last lease of a box; ``revision`` only grows. ``known`` is the one the box said it had;
    neither it nor ``policy`` is known of leases from before they were kept."""

    box = peewee.ForeignKeyField(BoxRow, primary_key=True, index=False)
    revision = peewee.BigIntegerField()
    granted_at = peewee.BigIntegerField()
    policy = peewee.BlobField(null=True)
    known = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "lease_granted"


MODELS: tuple[type[Table], ...] = (SitePolicy, Granted)
