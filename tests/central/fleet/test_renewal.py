"""Renewal by proof of the old key: before the end and after it, never for a revoked one."""

from datetime import timedelta

import msgspec
import pytest
from cryptography import x509

from central.fleet.certificates import new_key, read_facts
from shared.clock import to_microseconds
from shared.errors import NotAuthentic, Refused
from shared.joining import JoinAnswer
from shared.reasons import Reason
from tests.central.fleet.house import BOX, House
from tests.central.fleet.machine import Machine
from tests.central.people import AT

YEAR = timedelta(days=365)


@pytest.fixture
def joined(house: House) -> tuple[Machine, JoinAnswer]:
    machine = house.machine()
    return machine, house.join(machine.join_request(house.invite().text))


def live(house: House) -> list[str]:
    """Serials of the box's certificates that are good, the newest first."""
    certificates = house.central.fleet.list_certificates(BOX)
    return [each.facts.serial for each in certificates if each.revoked_at is None]


@pytest.mark.parametrize("years", [0, 1, 5])
def test_the_old_key_is_proof_enough(
    house: House, joined: tuple[Machine, JoinAnswer], years: int
) -> None:
    """Also long after the old certificate's end; the new one is for the new key and this box."""
    machine, answer = joined
    at, fresh = AT + years * YEAR, new_key()
    request = machine.renew_request(answer.box, answer.certificate, fresh, to_microseconds(at))
    renewed = x509.load_pem_x509_certificate(house.renew(request, at).certificate.encode())
    assert renewed.public_key() == fresh.public_key()
    assert [name.value for name in renewed.subject] == [answer.box]
    assert renewed.not_valid_after_utc > at + YEAR
    assert len(live(house)) == 2
    assert house.central.fleet.box(BOX).epoch == 1
    assert house.acts()[-1] == "certificate.renew"


def test_a_lost_answer_comes_again(house: House, joined: tuple[Machine, JoinAnswer]) -> None:
    """The same key asked for again gets the same certificate, not another."""
    machine, answer = joined
    request = machine.renew_request(answer.box, answer.certificate, new_key())
    assert house.renew(request).certificate == house.renew(request).certificate
    assert len(live(house)) == 2


def test_two_certificates_stay_good(house: House, joined: tuple[Machine, JoinAnswer]) -> None:
    """The proved one and the newest; a copy of an older key renews nothing any more."""
    machine, answer = joined
    certificate, former = answer.certificate, machine
    for _ in range(3):
        fresh = new_key()
        request = former.renew_request(answer.box, certificate, fresh)
        proved = read_facts(certificate.encode()).serial
        certificate = house.renew(request).certificate
        assert live(house) == [read_facts(certificate.encode()).serial, proved]
        former = Machine(former.central_public, tls=fresh)
    with pytest.raises(Refused) as caught:
        house.renew(machine.renew_request(answer.box, answer.certificate, new_key()))
    assert caught.value.reason is Reason.CERTIFICATE_REVOKED


def test_no_proof_no_certificate(house: House, joined: tuple[Machine, JoinAnswer]) -> None:
    """Another key, another box, another certificate, a changed request: PROOF_WRONG."""
    machine, answer = joined
    good = machine.renew_request(answer.box, answer.certificate, new_key())
    thief = house.machine().renew_request(answer.box, answer.certificate, new_key())
    other_csr = machine.renew_request(answer.box, answer.certificate, new_key()).csr
    for request in (
        thief,
        msgspec.structs.replace(good, box="renmin/box2"),
        msgspec.structs.replace(good, serial="ab"),
        msgspec.structs.replace(good, csr=other_csr),
        msgspec.structs.replace(good, central_at=good.central_at + 1),
        msgspec.structs.replace(good, proof=b""),
    ):
        with pytest.raises(NotAuthentic) as caught:
            house.renew(request)
        assert caught.value.reason is Reason.PROOF_WRONG
    assert len(live(house)) == 1


@pytest.mark.parametrize("minutes", [-11, 11])
def test_an_overheard_request_is_good_for_minutes(
    house: House, joined: tuple[Machine, JoinAnswer], minutes: int
) -> None:
    """Its time is part of the proof, and must be central's of the last minutes."""
    machine, answer = joined
    request = machine.renew_request(answer.box, answer.certificate, new_key())
    with pytest.raises(Refused) as caught:
        house.renew(request, AT + timedelta(minutes=minutes))
    assert caught.value.reason is Reason.ASK_EXPIRED


def test_a_revoked_box_renews_nothing(house: House, joined: tuple[Machine, JoinAnswer]) -> None:
    """However good its proof; what it is told needs the proof."""
    machine, answer = joined
    with house.central.database.unit():
        house.central.fleet.revoke(BOX, "stolen", AT, "test")
    request = machine.renew_request(answer.box, answer.certificate, new_key())
    with pytest.raises(Refused) as caught:
        house.renew(request)
    assert caught.value.reason is Reason.CERTIFICATE_REVOKED
    thief = house.machine().renew_request(answer.box, answer.certificate, new_key())
    with pytest.raises(NotAuthentic):
        house.renew(thief)


def test_a_quarantined_box_stays_connected(
    house: House, joined: tuple[Machine, JoinAnswer]
) -> None:
    """It hears why it is refused, so its certificate is renewed."""
    machine, answer = joined
    with house.central.database.unit():
        house.central.fleet.mark_quarantined(BOX, "fork", AT)
    request = machine.renew_request(answer.box, answer.certificate, new_key())
    assert house.renew(request).certificate
