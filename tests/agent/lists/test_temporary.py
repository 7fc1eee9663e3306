"""Temporary codes in central's lists: once resolved, they are known offline at boxes of the site
that never saw them, and a stopped card is refused by them too."""

from shared.crypto import STD
from shared.ehc import build_code, sign_temporary, temporary_serial
from shared.ids import new_record_id
from shared.ledger import Lane
from shared.messages import TemporaryRecord
from shared.reasons import Reason
from tests.agent.lists.box import ListBox
from tests.central.lists.centre import ListCentre
from tests.central.people import AT, BOX, SAMPLE
from tests.central.scans.asking import make_origin


def report_temporary(centre: ListCentre) -> str:
    """A box of the site has given a code, and central has its record; the code's text."""
    key, id = STD.new_signing_key(), new_record_id(AT)
    number = centre.people.add_box(BOX, key)
    text = build_code(sign_temporary(key, number, 1, temporary_serial(id)))
    record = TemporaryRecord(
        lane=Lane.IDENTITY,
        origin=make_origin(),
        document_type=SAMPLE.document_type,
        document_number=SAMPLE.document_number,
        name=SAMPLE.name,
        sex="0",
        phone="",
        code=text,
        asked=False,
    )
    with centre.people.database.unit():
        centre.people.temporaries.record(BOX, id, record, AT)
    return text


async def test_a_resolved_code_is_known_and_stopped_like_any_other(
    centre: ListCentre, box: ListBox
) -> None:
    """Whose it is, with the site's numbers; then suspended, then good again."""
    text = report_temporary(centre)
    await box.catch_up()
    found = await box.lists.find(text)
    assert found.identity is not None
    assert (found.identity.name, found.identity.patient_id) == ("电***卡", "P00000001")
    assert found.revoked is None
    _, card = centre.people.enrol()
    centre.suspend(card)
    await box.catch_up()
    assert (await box.lists.find(text)).revoked is Reason.CARD_SUSPENDED
    assert (await box.find(card)).revoked is Reason.CARD_SUSPENDED
    centre.resume(card)
    await box.catch_up()
    assert (await box.lists.find(text)).revoked is None


async def test_a_code_that_comes_to_a_stopped_card_is_listed_as_stopped(
    centre: ListCentre, box: ListBox
) -> None:
    """The card was cancelled while the box was alone."""
    _, card = centre.people.enrol()
    centre.cancel(card)
    await box.catch_up()
    text = report_temporary(centre)
    await box.catch_up()
    assert (await box.lists.find(text)).revoked is Reason.CARD_CANCELLED
