"""The sign-in desk: who comes in, who does not, and what 10,000 tries do to the others."""

import asyncio
import re

import pytest

from central.users import second_factor
from central.users.desk import Desk
from central.users.principal import Owed
from central.users.roles import OWN_ACCOUNT, PERMISSIONS, Role
from central.users.user import UserState
from shared.errors import Malformed, Refused
from shared.reasons import Reason
from tests.central.users.conftest import ACTOR, PASSWORD, Place

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


async def refusal(desk: Desk, login: str, password: str, address: str = HERE) -> Reason:
    """Why this try is refused."""
    with pytest.raises(Refused) as caught:
        await desk.sign_in(login, password, address)
    return caught.value.reason


async def test_a_password_opens_a_session(place: Place, desk: Desk) -> None:
    """However the name is typed; the session is the user's, with the role's permissions."""
    user = place.add("wang.fang")
    signed_in = await desk.sign_in(" Wang.Fang ", PASSWORD, HERE)
    session = place.users.find_session(signed_in.secret, place.clock.now())
    assert session == signed_in.session
    assert session.principal.id == user.id
    assert session.principal.permissions == PERMISSIONS[Role.OPERATIONS]
    assert place.acts("user.sign-in") == [
        (user.actor, user.actor, f'{{"address":"{HERE}"}}'),
    ]


async def test_unknown_disabled_and_wrong_are_told_alike(place: Place, desk: Desk) -> None:
    """Nobody learns from the answer which accounts exist."""
    user = place.add("bob")
    place.add("eve")
    with place.database.unit():
        place.users.set_state(user.id, UserState.DISABLED, place.clock.now(), ACTOR)
    for login, password in (("bob", PASSWORD), ("eve", "x"), ("nobody", "x"), ("-- '; no", "x")):
        assert await refusal(desk, login, password) is Reason.SIGN_IN_WRONG


async def test_known_and_unknown_accounts_lock_alike(place: Place, desk: Desk) -> None:
    """After five tries, for half a minute, twice as long with each one more."""
    place.add("bob")
    for login in ("bob", "nobody"):
        for _ in range(5):
            assert await refusal(desk, login, "x", f"{login}'s") is Reason.SIGN_IN_WRONG
        assert await refusal(desk, login, PASSWORD, f"{login}'s") is Reason.SIGN_IN_LOCKED
    place.pass_time(seconds=30)
    assert await refusal(desk, "bob", "x") is Reason.SIGN_IN_WRONG
    place.pass_time(seconds=59)
    assert await refusal(desk, "bob", PASSWORD) is Reason.SIGN_IN_LOCKED
    place.pass_time(seconds=1)
    assert (await desk.sign_in("bob", PASSWORD, HERE)).session.principal.name == "用户bob"


async def test_unlocking_forgets_the_tries(place: Place, desk: Desk) -> None:
    """A security administrator lets someone in who forgot."""
    user = place.add("bob")
    for _ in range(5):
        await refusal(desk, "bob", "x")
    with place.database.unit():
        place.users.unlock(user.id, place.clock.now(), ACTOR)
    await desk.sign_in("bob", PASSWORD, ELSEWHERE)


async def test_ten_thousand_tries_at_one_account(place: Place, desk: Desk) -> None:
    """Refused before they cost anything, counted and not listed; another user signs in meanwhile,
    from the same address, and the account's owner from where they usually do."""
    place.add("victim")
    place.add("other")
    await desk.sign_in("victim", PASSWORD, "their desk")
    reasons = []
    for count in range(10_000):
        reasons.append(await refusal(desk, "victim", f"guess {count}"))
        if count == 5_000:
            await desk.sign_in("other", PASSWORD, HERE)
            await desk.sign_in("victim", PASSWORD, "their desk")
    assert reasons.count(Reason.SIGN_IN_WRONG) == 5
    assert reasons.count(Reason.SIGN_IN_LOCKED) == 9_995
    assert len(place.acts("user.sign-in-failed")) == 3  # 1, 2, 4
    refused = place.acts("user.sign-in-refused")
    assert len(refused) == 14  # 1, 2, 4 … 8192
    assert refused[-1][2] == '{"count":8192}'


async def test_ten_thousand_names_from_one_address(place: Place, desk: Desk) -> None:
    """An address is locked as well, with few rows; who is known there still comes in."""
    place.add("known")
    place.add("elsewhere")
    await desk.sign_in("known", PASSWORD, HERE)
    reasons = [await refusal(desk, f"name{count}", "x") for count in range(10_000)]
    assert reasons.count(Reason.SIGN_IN_WRONG) == 20
    assert reasons.count(Reason.SIGN_IN_LOCKED) == 9_980
    await desk.sign_in("known", PASSWORD, HERE)
    await desk.sign_in("elsewhere", PASSWORD, ELSEWHERE)
    cursor = place.database.execute("SELECT count(*) FROM audit_row WHERE act LIKE 'user.sign%'")
    assert cursor.fetchone()[0] < 50
    assert place.database.execute("SELECT count(*) FROM sign_in_guard").fetchone()[0] <= 21


async def test_tries_at_once_do_not_outrun_the_count(place: Place, desk: Desk) -> None:
    """One try an account is judged at a time: a thousand at once are no thousand guesses."""
    place.add("victim")
    tries = (refusal(desk, "victim", f"guess {count}") for count in range(1_000))
    reasons = await asyncio.gather(*tries)
    assert reasons.count(Reason.SIGN_IN_WRONG) == 1
    assert reasons.count(Reason.TOO_MANY_REQUESTS) == 999


async def test_an_administrator_owes_a_second_factor(place: Place, desk: Desk) -> None:
    """Before it is set up, a session keeps its own account and nothing else; after it, the
    password alone opens nothing."""
    place.add("chief", Role.SECURITY_ADMIN)
    first = (await desk.sign_in("chief", PASSWORD, HERE)).session
    assert first.owed == (Owed.SECOND_FACTOR,)
    assert first.principal.permissions == OWN_ACCOUNT
    enrolment = await desk.begin_second_factor(first.principal)
    assert enrolment.uri.startswith("otpauth://totp/")
    with pytest.raises(Refused):
        await desk.confirm_second_factor(first.principal, "000000x")
    code = second_factor.code_at(enrolment.secret, place.clock.now())
    second, recovery = await desk.confirm_second_factor(first.principal, code)
    assert second.session.owed == ()
    assert second.session.principal.permissions == PERMISSIONS[Role.SECURITY_ADMIN]
    assert len(set(recovery)) == 10
    assert await refusal(desk, "chief", PASSWORD) is Reason.SIGN_IN_CODE_NEEDED


async def test_a_code_is_good_once(place: Place, desk: Desk) -> None:
    """Also the one that confirmed; one step early or late is good, two are not."""
    place.add("chief", Role.AUDIT_ADMIN)
    principal = (await desk.sign_in("chief", PASSWORD, HERE)).session.principal
    secret = (await desk.begin_second_factor(principal)).secret
    used = second_factor.code_at(secret, place.clock.now())
    await desk.confirm_second_factor(principal, used)
    with pytest.raises(Refused) as caught:
        await desk.sign_in("chief", PASSWORD, HERE, used)
    assert caught.value.reason is Reason.SIGN_IN_WRONG
    place.pass_time(seconds=30)
    late = second_factor.code_at(secret, place.clock.now())
    place.pass_time(seconds=60)
    with pytest.raises(Refused):
        await desk.sign_in("chief", PASSWORD, HERE, late)
    late = second_factor.code_at(secret, place.clock.now())
    place.pass_time(seconds=30)
    await desk.sign_in("chief", PASSWORD, HERE, late)
    with pytest.raises(Refused):
        await desk.sign_in("chief", PASSWORD, HERE, late)


async def test_a_recovery_code_is_good_once(place: Place, desk: Desk) -> None:
    """Typed with or without its hyphens, in any case."""
    place.add("chief", Role.SYSTEM_ADMIN)
    principal = (await desk.sign_in("chief", PASSWORD, HERE)).session.principal
    secret = (await desk.begin_second_factor(principal)).secret
    code = second_factor.code_at(secret, place.clock.now())
    _, recovery = await desk.confirm_second_factor(principal, code)
    typed = recovery[3].replace("-", " ").upper()
    await desk.sign_in("chief", PASSWORD, HERE, typed)
    with pytest.raises(Refused):
        await desk.sign_in("chief", PASSWORD, HERE, typed)
    assert place.acts("user.use-recovery-code")[0][2] == '{"left":9}'


async def test_wrong_codes_lock_like_wrong_passwords(place: Place, desk: Desk) -> None:
    """Six digits are guessed quickly by whoever has the password."""
    place.add("chief", Role.SYSTEM_ADMIN)
    signed_in = await desk.sign_in("chief", PASSWORD, HERE)
    secret = (await desk.begin_second_factor(signed_in.session.principal)).secret
    code = second_factor.code_at(secret, place.clock.now())
    await desk.confirm_second_factor(signed_in.session.principal, code)
    place.pass_time(hours=1)
    wrong = f"{(int(second_factor.code_at(secret, place.clock.now())) + 1) % 10**6:06}"
    reasons = []
    for _ in range(6):
        with pytest.raises(Refused) as caught:
            await desk.sign_in("chief", PASSWORD, ELSEWHERE, wrong)
        reasons.append(caught.value.reason)
    assert reasons == [Reason.SIGN_IN_WRONG] * 5 + [Reason.SIGN_IN_LOCKED]


async def test_a_given_password_is_changed_at_once(place: Place, desk: Desk) -> None:
    """A password somebody else has seen opens the own account only; changing it ends every other
    session and begins a fresh one."""
    admin = place.add("chief", Role.SECURITY_ADMIN)
    user = place.add("bob")
    given = await desk.reset_password(user.id, admin.actor)
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", given)
    signed_in = await desk.sign_in("bob", given, HERE)
    assert signed_in.session.owed == (Owed.PASSWORD,)
    principal = signed_in.session.principal
    assert principal.permissions == OWN_ACCOUNT
    with pytest.raises(Malformed):
        await desk.change_password(principal, given, "short", HERE)
    with pytest.raises(Refused):
        await desk.change_password(principal, "wrong", "a whole new sentence", HERE)
    fresh = await desk.change_password(principal, given, "a whole new sentence", HERE)
    assert place.users.find_session(signed_in.secret, place.clock.now()) is None
    assert fresh.session.owed == ()
    assert fresh.secret != signed_in.secret


async def test_a_flood_from_everywhere_is_refused_not_gathered(place: Place, desk: Desk) -> None:
    """Argon2's queue holds a second or two of work; who is signed in notices nothing."""
    bob = place.add("bob")
    secret = place.open(bob).secret
    tries = (refusal(desk, f"name{count}", "x", f"address {count}") for count in range(500))
    reasons = await asyncio.gather(*tries)
    assert reasons.count(Reason.SIGN_IN_WRONG) == 64
    assert reasons.count(Reason.TOO_MANY_REQUESTS) == 436
    assert place.users.find_session(secret, place.clock.now()) is not None
    await desk.sign_in("bob", PASSWORD, HERE)
