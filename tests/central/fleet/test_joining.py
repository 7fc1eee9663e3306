"""Joining by invite: who gets in, with what, how often, and what central keeps of it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from central.fleet.box import Box, Place
from central.fleet.doors import Door
from central.fleet.states import BoxState
from shared.crypto import STD
from shared.desired import Desired
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.joining import parse_invite, time_bytes
from shared.ledger import EPOCHS_A_MACHINE
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from tests.central.fleet.house import BOX, SITE_NAME, House, open_house
from tests.central.fleet.machine import build_csr
from tests.central.people import AT

HOUR = timedelta(hours=1)


def refusal(house: House, text: str, at_hours: float = 0, serial: str = "SN-1") -> Reason:
    """Why a new machine does not get in."""
    request = house.machine(serial).join_request(text)
    with pytest.raises(Refused) as caught:
        house.join(request, AT + at_hours * HOUR)
    return caught.value.reason


def test_what_a_new_place_lacks_is_named(house: House) -> None:
    """A new site needs a name, a new box a counter: the refusal says which."""
    door = Door("localhost", 8443, bytes(32))
    for place, lacks in (
        (Place(BOX, counter="挂号 1"), f"site {BOX.site} is new"),
        (Place(BOX, site_name=SITE_NAME), "counter"),
    ):
        with pytest.raises(Malformed, match=lacks):
            house.central.fleet.invites.issue(place, door, AT, "test")


def test_a_machine_joins_with_keys_it_made(house: House) -> None:
    """The answer has all that ``box.toml`` needs; central knows the keys, and used the invite."""
    issued = house.invite(machine="SN-1", scanner="serial:/dev/ttyACM0")
    machine = house.machine()
    answer = house.join(machine.join_request(issued.text))
    assert (answer.box, answer.counter, answer.site_name) == (str(BOX), "挂号 1", SITE_NAME)
    assert (answer.signing_key_id, answer.epoch, answer.number) == (1, 1, 1)
    config = house.central.config.broker
    assert (answer.broker_host, answer.broker_port) == (config.host, config.box_port)
    assert {int(k): bytes.fromhex(v) for k, v in answer.code_keys.items()} == (
        house.central.keys.code_keys
    )
    certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
    assert [name.value for name in certificate.subject] == [str(BOX)]
    assert certificate.public_key() == machine.tls.public_key()
    fleet = house.central.fleet
    fleet.verify_key(BOX, 1).verify(machine.signing.sign(b"rows"), b"rows")
    sealed = PairKey(machine.pair).seal(Direction.UP, BOX, "ask/scan", b"ask")
    assert fleet.pair_key(BOX).open(Direction.UP, BOX, "ask/scan", sealed) == b"ask"
    assert fleet.box(BOX) == Box(BOX, 1, SITE_NAME, "挂号 1", BoxState.ACTIVE, machine="SN-1")
    assert answer.desired is not None
    wanted = msgspec.msgpack.decode(answer.desired.body, type=Desired)
    assert wanted.settings.scanner == "serial:/dev/ttyACM0"
    assert house.acts()[-3:] == ["box.invite", "box.add", "settings.box"]


def test_the_same_keys_asking_again_get_the_same_answer(house: House) -> None:
    """A box whose answer was lost finishes, even when the invite's time is over meanwhile."""
    request = house.machine().join_request(house.invite(machine="SN-1").text)
    first = house.join(request)
    again = house.join(request, AT + 48 * HOUR)
    assert again.certificate == first.certificate
    assert (again.box, again.epoch, again.signing_key_id) == (first.box, 1, 1)
    assert len(house.central.fleet.list_certificates(BOX)) == 1


def test_every_refusal_has_its_own_reason(house: House) -> None:
    """Used, expired, withdrawn, another machine's, nobody's: told apart, and nothing is kept."""
    used = house.invite().text
    house.join(house.machine().join_request(used))
    assert refusal(house, used) is Reason.INVITE_USED
    assert refusal(house, house.invite(hours=2).text, at_hours=2) is Reason.INVITE_EXPIRED
    for_another = house.invite(machine="SN-2").text
    assert refusal(house, for_another) is Reason.INVITE_OTHER_MACHINE
    withdrawn = house.invite()
    with house.central.database.unit():
        house.central.fleet.invites.withdraw(withdrawn.number, AT, "test")
    assert refusal(house, withdrawn.text) is Reason.INVITE_WITHDRAWN
    invite = parse_invite(used)
    with pytest.raises(Refused) as caught:
        house.join(house.machine().join_request(msgspec.structs.replace(invite, secret=bytes(16))))
    assert caught.value.reason is Reason.INVITE_UNKNOWN
    assert house.central.fleet.boxes() == [BOX]
    assert house.central.fleet.box(BOX).epoch == 1


def test_another_centres_invite_is_unknown_here(house: House, tmp_path: Path) -> None:
    """Its secret is no secret of ours; its authority is not ours either, which the box sees."""
    with open_house(tmp_path / "elsewhere") as elsewhere:
        foreign = elsewhere.invite().text
        own = house.invite().text
        fingerprints = {parse_invite(text).ca_fingerprint for text in (foreign, own)}
    assert len(fingerprints) == 2
    assert refusal(house, foreign) is Reason.INVITE_UNKNOWN


def test_another_pair_key_is_another_machine(house: House) -> None:
    """All three keys are bound to the invite's use: none can be swapped afterwards."""
    text, machine = house.invite().text, house.machine()
    house.join(machine.join_request(text))
    for changed in (
        replace(machine, pair=bytes(32)),
        replace(machine, signing=STD.new_signing_key()),
        replace(machine, tls=house.machine().tls),
    ):
        with pytest.raises(Refused) as caught:
            house.join(changed.join_request(text))
        assert caught.value.reason is Reason.INVITE_USED


def test_keys_that_are_none_are_refused(house: House) -> None:
    """A request that its key did not sign, another curve, rubbish, a foreign seal: no box."""
    text, machine = house.invite().text, house.machine()
    good = machine.join_request(text)
    p384 = build_csr(ec.generate_private_key(ec.SECP384R1()))
    for csr in (p384, "", "x" * 1000, _spoil(good.csr)):
        with pytest.raises((Malformed, NotAuthentic)):
            house.join(msgspec.structs.replace(good, csr=csr))
    with pytest.raises(NotAuthentic):
        house.join(msgspec.structs.replace(good, pair_key=b"sealed to nobody"))
    other = msgspec.structs.replace(good, signing_public=STD.new_signing_key().public_bytes)
    with pytest.raises(NotAuthentic):
        house.join(other)
    assert house.central.fleet.boxes() == []
    assert house.join(good).box == str(BOX)


def _spoil(csr: str) -> str:
    """The same request, with a signature that is not its key's."""
    lines = csr.splitlines()
    body = "".join(lines[1:-1])
    at = len(body) - 12
    changed = body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :]
    return "\n".join([lines[0], changed, lines[-1], ""])


def test_a_replaced_machine_keeps_name_and_number(house: House) -> None:
    """A new epoch and a new signing key; the former key still verifies, the former machine's
    certificate is revoked and its invite answers no more."""
    first, second = house.machine("SN-1"), house.machine("SN-2")
    old_invite = house.invite().text
    before = house.join(first.join_request(old_invite))
    issued = house.invite(counter="")
    assert issued.replaces
    assert issued.place.counter == "挂号 1"
    after = house.join(second.join_request(issued.text))
    assert (after.box, after.epoch, after.signing_key_id) == (before.box, 1 + EPOCHS_A_MACHINE, 2)
    fleet = house.central.fleet
    box = fleet.box(BOX)
    assert (box.number, box.machine, box.state) == (1, "SN-2", BoxState.ACTIVE)
    fleet.verify_key(BOX, 1).verify(first.signing.sign(b"x"), b"x")
    fleet.verify_key(BOX, 2).verify(second.signing.sign(b"x"), b"x")
    newest, former = fleet.list_certificates(BOX)
    assert newest.revoked_at is None
    assert former.revoked_at == AT
    with pytest.raises(Refused) as caught:
        house.join(first.join_request(old_invite))
    assert caught.value.reason is Reason.CERTIFICATE_REVOKED


@pytest.mark.parametrize("shut", ["revoked", "quarantined"])
def test_a_box_that_was_shut_out_comes_back_by_an_invite(house: House, shut: str) -> None:
    """Revoked or quarantined, it is active again with a new epoch."""
    house.join(house.machine().join_request(house.invite().text))
    fleet = house.central.fleet
    with house.central.database.unit():
        if shut == "revoked":
            fleet.revoke(BOX, "stolen", AT, "test")
        else:
            fleet.mark_quarantined(BOX, "fork", AT)
    assert (
        house.join(house.machine().join_request(house.invite().text)).epoch == 1 + EPOCHS_A_MACHINE
    )
    fleet.check_active(BOX)


def test_only_a_token_of_the_secret_is_kept(house: House) -> None:
    """Neither the secret, in any form of it, nor the pair key stands in the database."""
    issued = house.invite()
    machine = house.machine()
    house.join(machine.join_request(issued.text))
    secret = parse_invite(issued.text).secret
    directory = house.central.files.directory
    stored = b"".join(path.read_bytes() for path in directory.glob("central.db*"))
    for hidden in (secret, secret.hex().encode(), issued.text.encode(), machine.pair):
        assert hidden not in stored


def test_invites_name_what_is_free_and_refuse_what_cannot_be(house: House) -> None:
    """The next free name passes over boxes and open invites; bad places are refused at once."""
    invites = house.central.fleet.invites
    assert invites.next_box("renmin", AT) == BOX
    house.invite()
    assert invites.next_box("renmin", AT) == BoxId("renmin", "box2")
    assert invites.next_box("renmin", AT + 25 * HOUR) == BOX
    house.join(house.machine().join_request(house.invite().text))
    assert invites.next_box("renmin", AT + 25 * HOUR) == BoxId("renmin", "box2")
    for bad in (
        {"counter": ""},
        {"counter": "x" * 65},
        {"hours": 0},
        {"hours": 721},
        {"scanner": "telepathy:1"},
        {"machine": "x" * 65},
    ):
        with pytest.raises(Malformed):
            house.invite(BoxId("renmin", "box9"), **bad)
    with pytest.raises(Malformed):
        invites.next_box("Not A Site", AT)


def test_withdrawing(house: House) -> None:
    """Twice is once; what is used, over or unknown cannot be withdrawn."""
    database, invites = house.central.database, house.central.fleet.invites
    open_one, used, old = house.invite(), house.invite(), house.invite(hours=1)
    house.join(house.machine().join_request(used.text))
    with database.unit():
        invites.withdraw(open_one.number, AT, "test")
        invites.withdraw(open_one.number, AT, "test")
    assert house.acts().count("box.invite-withdrawn") == 1
    for number, reason in (
        (used.number, Reason.INVITE_USED),
        (old.number, Reason.INVITE_EXPIRED),
        (99, Reason.NOT_FOUND),
    ):
        with pytest.raises(Refused) as caught:
            invites.withdraw(number, AT + HOUR, "test")
        assert caught.value.reason is reason


def test_time_is_signed_for_the_nonce(house: House) -> None:
    """The announcements key of ``centre`` verifies it; another nonce does not."""
    answer = house.joins.time(bytes(16), AT)
    key = STD.verify_key(house.joins.centre().announcements)
    key.verify(answer.signature, time_bytes(bytes(16), answer.central_at))
    with pytest.raises(NotAuthentic):
        key.verify(answer.signature, time_bytes(b"n" * 16, answer.central_at))
