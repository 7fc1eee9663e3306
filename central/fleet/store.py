"""The fleet's statements."""

from datetime import datetime

import peewee

from central.fleet.box import Box, Place, PublicKey, Standing
from central.fleet.model import BoxKey, BoxRow, Counter, Institution, Site
from central.fleet.states import SHUT_OUT, BoxState
from shared.clock import to_microseconds
from shared.ids import BoxId, parse_box_id
from shared.ledger import EPOCHS_A_MACHINE


def find_site_name(site: str) -> str | None:
    """What labels call the site; None for an unknown one."""
    row = Site.execute("SELECT name FROM site WHERE id = ?", (site,)).fetchone()
    return str(row[0]) if row else None


def insert_site(site: str, name: str) -> None:
    """A new site, run by an institution of the same name until it is told otherwise."""
    Institution.insert(id=site, name=name).on_conflict_ignore().execute()
    Site.create(id=site, institution=site, name=name)


def keep_counter(site: str, name: str) -> int:
    """The counter's key, made when it is new."""
    Counter.insert(site=site, name=name).on_conflict_ignore().execute()
    values = (site, name)
    row = Counter.execute("SELECT id FROM counter WHERE site_id = ? AND name = ?", values)
    return int(row.fetchone()[0])


def next_box_number() -> int:
    """The number after the greatest ever given; a number is never given twice."""
    row = BoxRow.execute("SELECT coalesce(max(number), 0) + 1 FROM box").fetchone()
    return int(row[0])


def insert_box(place: Place, number: int, counter: int, pair_key: bytes, at: datetime) -> bool:
    """Add an active box; False when the id is taken."""
    try:
        BoxRow.insert(
            id=str(place.id),
            number=number,
            counter=counter,
            state=BoxState.ACTIVE,
            state_at=to_microseconds(at),
            state_reason="",
            pair_key=pair_key,
            machine=place.machine,
        ).execute()
    except peewee.IntegrityError:
        return False
    return True


def replace_machine(place: Place, counter: int, pair_key: bytes) -> None:
    """Another machine under a known box's name: a new pair key and a new epoch."""
    BoxRow.execute(
        "UPDATE box SET counter_id = ?, pair_key = ?, epoch = epoch + ?, machine = ? WHERE id = ?",
        (counter, pair_key, EPOCHS_A_MACHINE, place.machine, str(place.id)),
    )


def next_key_id(box: BoxId) -> int:
    """The number after the greatest of a box's signing keys."""
    query = "SELECT coalesce(max(key_id), 0) + 1 FROM box_key WHERE box_id = ?"
    return int(BoxRow.execute(query, (str(box),)).fetchone()[0])


def insert_key(box: BoxId, key_id: int, key: PublicKey, at: datetime) -> None:
    """Keep a public signing key of a box."""
    BoxKey.create(
        box=str(box), key_id=key_id, suite=key.suite, public=key.public, since=to_microseconds(at)
    )


_BOX = """
    SELECT box.id, box.number, site.name, counter.name, box.state, box.epoch,
        (SELECT coalesce(max(key_id), 0) FROM box_key WHERE box_id = box.id), box.machine
    FROM box JOIN counter ON counter.id = box.counter_id JOIN site ON site.id = counter.site_id
"""


def find_box(box: BoxId) -> Box | None:
    """The box with this id."""
    row = BoxRow.execute(f"{_BOX} WHERE box.id = ?", (str(box),)).fetchone()
    return _box(row) if row else None


def list_boxes() -> list[Box]:
    """Every box, by its id."""
    return [_box(row) for row in BoxRow.execute(f"{_BOX} ORDER BY box.id")]


def list_standings() -> list[Standing]:
    """Every box as the broker is concerned."""
    rows = BoxRow.execute("SELECT id, state, epoch, told_epoch FROM box")
    return [
        Standing(parse_box_id(id), BoxState(state) in SHUT_OUT, epoch, told)
        for id, state, epoch, told in rows
    ]


def save_told(box: BoxId, epoch: int) -> None:
    """The broker knows this epoch of the box."""
    BoxRow.execute("UPDATE box SET told_epoch = ? WHERE id = ?", (epoch, str(box)))


def find_pair_key(box: BoxId) -> tuple[BoxState, bytes] | None:
    """The box's state and its sealed pair key, in one look: every ask needs both."""
    row = BoxRow.execute("SELECT state, pair_key FROM box WHERE id = ?", (str(box),)).fetchone()
    return (BoxState(row[0]), row[1]) if row else None


def find_key(box: BoxId, key_id: int) -> PublicKey | None:
    """A signing key of a box, also a former one."""
    row = BoxKey.execute(
        "SELECT suite, public FROM box_key WHERE box_id = ? AND key_id = ?", (str(box), key_id)
    ).fetchone()
    return PublicKey(*row) if row else None


def list_keys_of_number(number: int) -> list[tuple[BoxId, int, PublicKey]]:
    """Every signing key that the box of this number has had, the newest first."""
    rows = BoxKey.execute(
        "SELECT k.box_id, k.key_id, k.suite, k.public FROM box b JOIN box_key k ON k.box_id = b.id"
        " WHERE b.number = ? ORDER BY k.key_id DESC",
        (number,),
    )
    return [
        (parse_box_id(box), key_id, PublicKey(suite, public)) for box, key_id, suite, public in rows
    ]


def list_keys_of_site(site: str) -> list[tuple[int, BoxState, int, PublicKey]]:
    """Every signing key of the boxes of a site: the box's number and state, and the key's."""
    rows = BoxKey.execute(
        "SELECT b.number, b.state, k.key_id, k.suite, k.public"
        " FROM box b JOIN box_key k ON k.box_id = b.id"
        " WHERE b.id >= ?1 || '/' AND b.id < ?1 || '0' ORDER BY b.number, k.key_id",
        (site,),
    )
    return [
        (number, BoxState(state), key_id, PublicKey(suite, public))
        for number, state, key_id, suite, public in rows
    ]


def update_state(box: BoxId, state: BoxState, why: str, at: datetime) -> None:
    """Move a box to a state."""
    BoxRow.execute(
        "UPDATE box SET state = ?, state_reason = ?, state_at = ? WHERE id = ?",
        (state, why, to_microseconds(at), str(box)),
    )


def _box(row: tuple[str, int, str, str, str, int, int, str]) -> Box:
    id, number, site_name, counter, state, epoch, key_id, machine = row
    standing = BoxState(state)
    return Box(parse_box_id(id), number, site_name, counter, standing, epoch, key_id, machine)
