"""What is set by site and by box, how it is composed, and when its revision grows."""

from dataclasses import dataclass, field

import pytest

from central.audit.service import Audit
from central.settings.service import Settings
from shared.crypto import STD
from shared.desired import (
    BoxKeyEntry,
    BoxSettings,
    Desired,
    OperatorEntry,
    desired_bytes,
    parse_body,
)
from shared.errors import Malformed, Refused
from shared.ids import BoxId
from shared.reasons import Reason
from tests.central.ingest.boxes import PaperBox, add_box
from tests.central.ingest.centre import AT, Centre

CLERK = OperatorEntry("u1", "王芳", "clerk", bytes(32), "$argon2id$")


@dataclass
class Bureau:
    """Settings of a centre, with operators and what boxes say in a test's hand."""

    centre: Centre
    box: BoxId
    operators: tuple[OperatorEntry, ...] = ()
    reported: int = 0
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        audit = Audit(self.centre.database, self.centre.keys.audit_mac)
        self.settings = Settings(
            self.centre.keys,
            audit,
            self.centre.fleet,
            lambda _: self.operators,
            lambda _: self.reported,
        )

    def compose(self) -> Desired:
        """What the box would be told now, its signature checked."""
        signed = self.settings.compose(self.box, AT)
        key = STD.verify_key(self.centre.keys.announcements_public)
        key.verify(signed.signature, desired_bytes(signed.body))
        return parse_body(signed.body)


@pytest.fixture
def bureau(centre: Centre, box: PaperBox) -> Bureau:
    return Bureau(centre, box.id)


def test_a_site_knows_the_keys_of_its_boxes_while_they_may_speak(bureau: Bureau) -> None:
    """Another box of the site joins: both are told, in a new revision; one that is shut out is
    vouched for no longer; another site's never were."""
    (own,) = bureau.compose().boxes
    assert (own.number, own.kid) == (1, 1)
    other = add_box(bureau.centre, BoxId(bureau.box.site, "box2"))
    add_box(bureau.centre, BoxId("site2", "box3"))
    desired = bureau.compose()
    assert desired.revision == 2
    told = BoxKeyEntry(2, 1, other.signing_key.public_bytes)
    assert desired.boxes == (own, told)
    with bureau.centre.database.unit():
        bureau.centre.fleet.revoke(other.id, "stolen", AT, "t")
    assert bureau.compose().boxes == (own,)


def test_a_box_says_more_than_its_site(bureau: Bureau) -> None:
    """What both say is as the box has it; what neither says stays None."""
    box, settings = bureau.box, bureau.settings
    settings.set_site(box.site, BoxSettings(language="en", again_seconds=5), AT, "t")
    settings.set_box(box, BoxSettings(again_seconds=0, operators_required=False), AT, "t")
    assert bureau.compose() == Desired(
        box=str(box),
        revision=1,
        made_at=bureau.compose().made_at,
        settings=BoxSettings(language="en", again_seconds=0, operators_required=False),
        number=1,
        boxes=bureau.compose().boxes,
    )
    assert settings.read_site(box.site) == BoxSettings(language="en", again_seconds=5)


def test_the_revision_grows_with_the_content_alone(bureau: Bureau) -> None:
    """Composed again it is the same, byte for byte; a change and its undoing are two more."""
    first = bureau.settings.compose(bureau.box, AT)
    assert bureau.settings.compose(bureau.box, AT.replace(hour=23)) == first
    bureau.settings.set_box(bureau.box, BoxSettings(counter="挂号9"), AT, "t")
    assert bureau.compose().revision == 2
    bureau.settings.set_box(bureau.box, BoxSettings(), AT, "t")
    assert bureau.compose().revision == 3
    bureau.operators = (CLERK,)
    again = bureau.compose()
    assert (again.revision, again.operators) == (4, (CLERK,))
    assert bureau.settings.read_revision(bureau.box) == 4


def test_a_centre_put_back_from_a_backup_is_heard(bureau: Bureau) -> None:
    """A box that has a later revision than central knows of gets a later one still."""
    bureau.compose()
    bureau.reported = 8
    assert bureau.compose().revision == 9
    bureau.reported = 9
    assert bureau.compose().revision == 9


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (BoxSettings(scanner="camera:/dev/video0"), "scanner"),
        (BoxSettings(printer="usb:zebra"), "printer"),
        (BoxSettings(site_name="   "), "site_name"),
        (BoxSettings(site_name="医\u202e院"), "site_name"),
    ],
)
def test_what_no_box_could_do_is_not_stored(bureau: Bureau, wrong: BoxSettings, name: str) -> None:
    """The rule is the box's own; the refusal names the setting."""
    with pytest.raises(Malformed) as by_box:
        bureau.settings.set_box(bureau.box, wrong, AT, "t")
    with pytest.raises(Malformed) as by_site:
        bureau.settings.set_site(bureau.box.site, wrong, AT, "t")
    for caught in (by_box, by_site):
        assert (caught.value.reason, caught.value.detail) == (Reason.SETTING_IMPOSSIBLE, name)
    assert bureau.settings.read_box(bureau.box) == BoxSettings()


def test_a_site_has_no_counter_of_its_own(bureau: Bureau) -> None:
    """Or all its boxes would call themselves the same."""
    with pytest.raises(Malformed):
        bureau.settings.set_site(bureau.box.site, BoxSettings(counter="挂号1"), AT, "t")


def test_who_is_not_there_is_told_nothing(bureau: Bureau) -> None:
    """An unknown site and an unknown box are refused, to set and to read."""
    nobody = BoxId("site9", "box9")
    with pytest.raises(Refused):
        bureau.settings.set_site("site9", BoxSettings(), AT, "t")
    with pytest.raises(Refused):
        bureau.settings.set_box(nobody, BoxSettings(), AT, "t")
    with pytest.raises(Refused):
        bureau.settings.read_site("site9")
    with pytest.raises(Refused):
        bureau.settings.read_box(nobody)


def test_what_is_set_is_audited_by_name(bureau: Bureau) -> None:
    """Who set which settings of whom; never a value."""
    bureau.settings.set_box(bureau.box, BoxSettings(site_name="市人民医院"), AT, "user 7")
    row = bureau.centre.database.execute(
        "SELECT subject, actor, facts FROM audit_row WHERE act = 'settings.box'"
    ).fetchone()
    assert row == (str(bureau.box), "user 7", '{"set":"site_name"}')


def test_nothing_of_an_operator_is_stored_with_what_was_announced(bureau: Bureau) -> None:
    """A keyed token and a number: names and PINs stay where users are."""
    bureau.operators = (CLERK,)
    bureau.compose()
    rows = bureau.centre.database.execute("SELECT * FROM announced").fetchall()
    assert len(rows) == 1
    assert CLERK.name.encode() not in repr(rows).encode()
    assert len(rows[0][2]) == 32
