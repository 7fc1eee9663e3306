"""Central's keys in use: the golden vector, versions, tokens, sealed columns, signed codes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.keys.selftest import GOLDEN, self_test
from central.keys.service import Keys, open_keys
from central.keys.store import (
    KeyContents,
    VersionedKey,
    create_key_store,
    new_contents,
    open_contents,
    renew_code_key,
    renew_key,
    seal_contents,
)
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.ehc import DynamicCode, Extension
from shared.errors import Damaged, NotAuthentic, Refused
from shared.ids import BoxId
from shared.reasons import Reason
from shared.sealing import BodySealer, open_body, unwrap_body_key

AT = datetime(2026, 3, 1, 8, 0, 5, tzinfo=UTC)
BOX = BoxId("site1", "box1")


@pytest.fixture
def contents() -> KeyContents:
    return new_contents(3)


@pytest.fixture
def keys(contents: KeyContents) -> Keys:
    return Keys(contents)


def golden_contents() -> KeyContents:
    return msgspec.structs.replace(
        new_contents(1),
        roots=(VersionedKey(1, bytes.fromhex(GOLDEN.root_key)),),
        protects=(VersionedKey(1, bytes.fromhex(GOLDEN.protect_key)),),
    )


def test_the_golden_vector_through_the_service() -> None:
    """The specification's sample person, under its keys, gives its quantities."""
    keys = Keys(golden_contents())
    derived = keys.derive(GOLDEN.id_type, GOLDEN.id_number, GOLDEN.name)
    assert derived == (GOLDEN.mindex_id, GOLDEN.ehc_id, 1)
    assert keys.build_validity(GOLDEN.at) == GOLDEN.validity
    assert keys.open_validity(GOLDEN.validity) == GOLDEN.at


@pytest.mark.parametrize("quantity", ["mindex_id", "factor", "ehc_id", "validity"])
def test_the_self_test_names_what_is_wrong(quantity: str) -> None:
    """One wrong quantity stops the start."""
    wrong: dict[str, Any] = {quantity: "0" * 32}
    with pytest.raises(Damaged, match=quantity) as caught:
        self_test(GOLDEN._replace(**wrong))
    assert caught.value.reason is Reason.KEYS_SELF_TEST


def test_the_self_test_comes_before_the_keys(tmp_path: Path) -> None:
    """With wrong algorithms no key is opened; with right ones and the passphrase they are."""
    path = tmp_path / "keys.sealed"
    create_key_store(path, new_contents(1), b"passphrase")
    with pytest.raises(Damaged):
        open_keys(path, b"passphrase", GOLDEN._replace(ehc_id="0" * 64))
    with pytest.raises(Refused) as caught:
        open_keys(path, b"wrong")
    assert caught.value.reason is Reason.KEYS_LOCKED
    assert open_keys(path, b"passphrase").code_kid(AT) == 1


def test_new_keys_are_never_the_samples(contents: KeyContents) -> None:
    """A centre draws its own root and protection keys."""
    other = new_contents(3)
    assert contents.roots[0].key.hex().upper() != GOLDEN.root_key
    assert contents.roots != other.roots
    assert contents.protects != other.protects


def test_a_new_root_derives_and_names_its_version(contents: KeyContents) -> None:
    """The active root is the last one; mindex_id does not depend on it."""
    before = Keys(contents).derive("01", GOLDEN.id_number, GOLDEN.name)
    rolled, _ = renew_key(contents, "root")
    after = Keys(rolled).derive("01", GOLDEN.id_number, GOLDEN.name)
    assert (before.root_version, after.root_version) == (1, 2)
    assert before.mindex_id == after.mindex_id
    assert before.ehc_id != after.ehc_id


def test_a_validity_of_a_former_key_still_opens(contents: KeyContents) -> None:
    """Codes issued before a new protection key are judged by the old one."""
    validity = Keys(contents).build_validity(AT)
    rolled = Keys(renew_key(contents, "protect")[0])
    assert rolled.open_validity(validity) == AT
    assert rolled.build_validity(AT) != validity
    assert rolled.open_validity("00" * 16) is None


def test_a_code_key_signs_in_its_time_and_verifies_for_ever(contents: KeyContents) -> None:
    """The next one is known before it signs; a number is never used twice."""
    week = timedelta(days=7)
    rolled, kid = renew_code_key(contents, to_microseconds(AT + week))
    keys = Keys(rolled)
    bare = DynamicCode("A" * 64, "0" * 32)
    before, after = (keys.sign_extension(bare, at, 60) for at in (AT, AT + week))
    numbers = [code.extension.kid for code in (before, after) if code.extension]  # type: ignore[union-attr]
    assert numbers == [3, kid] == [3, 4]
    assert keys.verify_extension(before)
    assert keys.verify_extension(after)
    assert not Keys(contents).verify_extension(after)
    assert [(key.kid, key.until_at) for key in keys.list_code_keys()] == [
        (3, to_microseconds(AT + week)),
        (4, None),
    ]
    active = [v.version for v in keys.check_values(AT) if v.name == "code" and v.active]
    assert active == [3]
    for wrong in (3, 4, 208, -1):
        with pytest.raises(Refused) as caught:
            renew_code_key(rolled, to_microseconds(AT + 2 * week), wrong)
        assert caught.value.reason is Reason.KEY_TAKEN
    with pytest.raises(Refused):
        renew_code_key(rolled, to_microseconds(AT))
    assert renew_code_key(rolled, to_microseconds(AT + 2 * week), 100)[1] == 100
    assert open_contents(seal_contents(rolled, b"words"), b"words") == rolled


def test_the_lists_key_is_no_key_of_ours(keys: Keys) -> None:
    """Boxes are given it: no token at central is made with it."""
    assert keys.list_key != keys.token("cards", "")
    assert STD.mac(keys.list_key, b"x") != keys.token("ehc-id", "x")


def test_tokens_find_and_do_not_tell(keys: Keys) -> None:
    """The same value gives the same token, in its own purpose and under its own key only."""
    token = keys.token("name", GOLDEN.name)
    assert len(token) == 32
    assert keys.token("name", GOLDEN.name) == token
    assert keys.token("document", GOLDEN.name) != token
    assert Keys(new_contents(3)).token("name", GOLDEN.name) != token


def test_a_sealed_column_opens_in_its_column_only(keys: Keys) -> None:
    """Moved to another column, changed or cut, a value is damage, never another value."""
    sealed = keys.seal("person.name", GOLDEN.name)
    assert keys.open("person.name", sealed) == GOLDEN.name
    assert keys.seal("person.name", GOLDEN.name) != sealed
    assert GOLDEN.name.encode() not in sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for column, value in (
        ("person.document", sealed),
        ("person.name", changed),
        ("person.name", sealed[:12]),
        ("person.name", b"\2" + sealed[1:]),
        ("person.name", b""),
    ):
        with pytest.raises(Damaged) as caught:
            keys.open(column, value)
        assert caught.value.reason is Reason.SEAL_BROKEN


def test_a_signed_code_verifies_as_issued_only(keys: Keys) -> None:
    """Id, validity, time and domain are under the signature; another centre's is not ours."""
    code = DynamicCode("A" * 64, keys.build_validity(AT))
    signed = keys.sign_extension(code, AT, 60)
    assert isinstance(signed.extension, Extension)
    assert (signed.extension.kid, signed.extension.ttl_seconds) == (3, 60)
    assert keys.verify_extension(signed)
    spliced = DynamicCode("B" * 64, signed.validity, None, signed.extension)
    assert not keys.verify_extension(spliced)
    assert not keys.verify_extension(code)
    other = Keys(new_contents(3)).sign_extension(code, AT, 60)
    assert not keys.verify_extension(other)
    foreign = Keys(new_contents(4)).sign_extension(code, AT, 60)
    assert not keys.verify_extension(foreign)
    later = keys.sign_extension(code, AT + timedelta(seconds=1), 60)
    assert later.extension != signed.extension


def test_bodies_are_opened_for_their_box_only(keys: Keys) -> None:
    """The recipient key opens what a box sealed to ``central_public``, bound to that box."""
    sealer = BodySealer(STD, keys.central_public, BOX)
    body = sealer.seal(b"a record", b"i" * 16, 0, 1)
    key = keys.body_key(BOX, sealer.encapsulation.wrapped)
    assert open_body(key, body, b"i" * 16, 0, 1) == b"a record"
    with pytest.raises(NotAuthentic):
        keys.body_key(BoxId("site1", "box2"), sealer.encapsulation.wrapped)
    with pytest.raises(NotAuthentic):
        unwrap_body_key(STD.new_recipient_key(), BOX, sealer.encapsulation.wrapped)


def test_check_values_name_each_version_once(contents: KeyContents) -> None:
    """Every key is named, the last version is active, and no check value is the key's own bytes."""
    rolled, _ = renew_key(contents, "root")
    values = Keys(rolled).check_values(AT)
    roots = [(value.version, value.active) for value in values if value.name == "root"]
    assert roots == [(1, False), (2, True)]
    assert len({value.check for value in values}) == len(values) == 9
    assert not any(key.key.hex().upper().startswith(values[0].check) for key in rolled.roots)
