"""What the authorities issue, judged by a verifier that is not ours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from central.fleet.certificates import Authority, Identity, create_authority, read_authority
from shared.config import write_secret
from shared.errors import Damaged, Malformed, Refused, Unavailable
from shared.ids import BoxId

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BOX = BoxId("site1", "box1")


def store_of(*identities: Identity) -> Store:
    return Store([x509.load_pem_x509_certificate(each.certificate) for each in identities])


def load(identity: Identity) -> x509.Certificate:
    return x509.load_pem_x509_certificate(identity.certificate)


def test_the_servers_certificate_holds_for_its_names_only() -> None:
    """TLS's rules accept the broker for each name it was given, and for no other."""
    root = create_authority("boxes", AT)
    server = Authority(root).issue_server(["localhost", "127.0.0.1", "broker.example"], AT)
    builder = PolicyBuilder().store(store_of(root)).time(AT)
    for name in ("localhost", "broker.example"):
        builder.build_server_verifier(x509.DNSName(name)).verify(load(server), [])
    with pytest.raises(VerificationError):
        builder.build_server_verifier(x509.DNSName("other.example")).verify(load(server), [])


def test_a_boxs_certificate_is_a_client_of_its_authority_only() -> None:
    """It carries the box's id, cannot pose as the broker, and no other authority vouches for it."""
    root, other = create_authority("boxes", AT), create_authority("boxes", AT)
    box = load(Authority(root).issue_box(BOX, AT))
    assert [name.value for name in box.subject] == ["site1/box1"]
    builder = PolicyBuilder().store(store_of(root)).time(AT)
    purpose = box.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purpose) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(VerificationError):
        builder.build_server_verifier(x509.DNSName("localhost")).verify(box, [])
    box.verify_directly_issued_by(load(root))
    assert box.extensions.get_extension_for_class(
        x509.AuthorityKeyIdentifier
    ).value != x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        load(other).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


def test_spans_and_facts() -> None:
    """Valid from a day ago, for two years; the table's facts are the certificate's own."""
    identity = Authority(create_authority("boxes", AT)).issue_box(BOX, AT)
    certificate, facts = load(identity), identity.facts
    assert facts.not_before == AT - timedelta(days=1)
    assert facts.not_after == AT + timedelta(days=730)
    assert int(facts.serial, 16) == certificate.serial_number
    assert facts.fingerprint == certificate.fingerprint(hashes.SHA256())


def test_an_id_too_long_for_a_common_name_is_refused() -> None:
    """RFC 5280 allows 64 characters; two labels of 32 and the slash are one more."""
    authority = Authority(create_authority("boxes", AT))
    authority.issue_box(BoxId("s" * 32, "b" * 31), AT)
    with pytest.raises(Malformed):
        authority.issue_box(BoxId("s" * 32, "b" * 32), AT)


def test_reading_an_authority(tmp_path: Path) -> None:
    """Missing, too widely readable and broken files are told apart."""
    certificate, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    with pytest.raises(Unavailable):
        read_authority(certificate, key)
    identity = create_authority("boxes", AT)
    certificate.write_bytes(identity.certificate)
    write_secret(key, identity.key)
    assert read_authority(certificate, key).certificate == identity.certificate
    key.chmod(0o644)
    with pytest.raises(Refused):
        read_authority(certificate, key)
    key.chmod(0o600)
    key.write_bytes(b"no key")
    with pytest.raises(Damaged):
        read_authority(certificate, key)
