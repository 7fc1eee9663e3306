"""The tables of what is wanted of boxes. ``settings`` is a ``BoxSettings`` as msgpack.

What was announced is kept as a keyed token of its content and a number, never as the content:
operators' names and PINs belong to ``central.users``.
"""

import peewee

from central.fleet.model import BoxRow, Site
from central.storage.table import Table


class SiteSetting(Table):
    """What holds at every box of a site."""

    site = peewee.ForeignKeyField(Site, primary_key=True, index=False)
    settings = peewee.BlobField()
    set_at = peewee.BigIntegerField()
    set_by = peewee.TextField()

    class Meta:
        table_name = "site_setting"


class BoxSetting(Table):
    """What one box has otherwise."""

    box = peewee.ForeignKeyField(BoxRow, primary_key=True, index=False)
    settings = peewee.BlobField()
    set_at = peewee.BigIntegerField()
    set_by = peewee.TextField()

    class Meta:
        table_name = "box_setting"


class Announced(Table):
    """The last state that was signed for a box; ``revision`` only grows."""

    box = peewee.ForeignKeyField(BoxRow, primary_key=True, index=False)
    revision = peewee.BigIntegerField()
    content = peewee.BlobField()
    made_at = peewee.BigIntegerField()


MODELS: tuple[type[Table], ...] = (SiteSetting, BoxSetting, Announced)
