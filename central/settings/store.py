"""The statements of settings."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from central.settings.model import Announced, BoxSetting, SiteSetting
from shared.clock import to_microseconds
from shared.desired import BoxSettings
from shared.errors import Damaged
from shared.ids import BoxId
from shared.reasons import Reason

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(BoxSettings).decode


class Announcement(NamedTuple):
    """What was last signed for a box: its number, a token of its content, when it was made."""

    revision: int
    content: bytes
    made_at: int


def find_site_settings(site: str) -> BoxSettings:
    """What is set for a site; nothing for one that was never set."""
    row = SiteSetting.execute("SELECT settings FROM site_setting WHERE site_id = ?", (site,))
    return _settings(row.fetchone())


def find_box_settings(box: BoxId) -> BoxSettings:
    """What is set for a box alone."""
    row = BoxSetting.execute("SELECT settings FROM box_setting WHERE box_id = ?", (str(box),))
    return _settings(row.fetchone())


def save_site_settings(site: str, settings: BoxSettings, at: datetime, actor: str) -> None:
    """Replace what is set for a site."""
    SiteSetting.execute(
        "INSERT INTO site_setting (site_id, settings, set_at, set_by) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (site_id) DO UPDATE SET settings = excluded.settings,"
        " set_at = excluded.set_at, set_by = excluded.set_by",
        (site, _encode(settings), to_microseconds(at), actor),
    )


def save_box_settings(box: BoxId, settings: BoxSettings, at: datetime, actor: str) -> None:
    """Replace what is set for a box."""
    BoxSetting.execute(
        "INSERT INTO box_setting (box_id, settings, set_at, set_by) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (box_id) DO UPDATE SET settings = excluded.settings,"
        " set_at = excluded.set_at, set_by = excluded.set_by",
        (str(box), _encode(settings), to_microseconds(at), actor),
    )


def find_announcement(box: BoxId) -> Announcement | None:
    """What was last signed for a box."""
    row = Announced.execute(
        "SELECT revision, content, made_at FROM announced WHERE box_id = ?", (str(box),)
    ).fetchone()
    return Announcement(*row) if row else None


def save_announcement(box: BoxId, announcement: Announcement) -> None:
    """Remember what was signed."""
    Announced.execute(
        "INSERT INTO announced (box_id, revision, content, made_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (box_id) DO UPDATE SET revision = excluded.revision,"
        " content = excluded.content, made_at = excluded.made_at",
        (str(box), *announcement),
    )


def _settings(row: tuple[bytes] | None) -> BoxSettings:
    if row is None:
        return BoxSettings()
    try:
        return _decode(row[0])
    except msgspec.DecodeError as error:
        raise Damaged(Reason.STORE_DAMAGED, "settings") from error
