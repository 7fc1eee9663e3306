"""Users: who may make and change whom, operators of boxes, and nothing undone unaudited."""

from collections.abc import Callable

import pytest

from central.config import UsersConfig
from central.users.roles import Role
from central.users.service import Users
from central.users.user import NewUser, UserState
from shared.badges import badge_digest
from shared.errors import OneCodeError, Refused, Unavailable
from shared.passwords import hash_password, verify_password
from shared.reasons import Reason
from tests.central.users.conftest import ACTOR, AT, PHC, Place


@pytest.fixture
def users(place: Place) -> Users:
    """The users as a server's API changes them."""
    return Users(place.keys, place.audit, UsersConfig())


def test_a_login_is_one_users(place: Place) -> None:
    """However it is cased."""
    place.add("bob")
    with pytest.raises(Refused) as caught, place.database.unit():
        place.users.add(NewUser("BOB", "另一个", Role.OPERATIONS), PHC, AT, ACTOR)
    assert caught.value.reason is Reason.ALREADY_EXISTS


def test_users_are_listed_page_by_page(place: Place) -> None:
    """In the order they were made; by site and by role."""
    for number in range(5):
        place.pass_time(seconds=1)
        place.add(f"user{number}", Role.CLERK if number % 2 else Role.OPERATIONS)
    first = place.users.list(limit=3)
    rest = place.users.list(first[-1].id, limit=3)
    assert [user.login for user in (*first, *rest)] == [f"user{number}" for number in range(5)]
    assert [user.login for user in place.users.list(site="site1")] == ["user1", "user3"]
    assert len(place.users.list(role=Role.OPERATIONS)) == 3


@pytest.mark.parametrize("act", ["change", "disable", "password", "factor"])
def test_nobody_changes_themselves(place: Place, act: str) -> None:
    """Least of all their own role."""
    user = place.add("chief", Role.SECURITY_ADMIN)
    users = place.users
    acts = {
        "change": lambda: users.change(user.id, Role.AUDIT_ADMIN, None, AT, user.actor),
        "disable": lambda: users.set_state(user.id, UserState.DISABLED, AT, user.actor),
        "password": lambda: users.reset_password(user.id, PHC, AT, user.actor),
        "factor": lambda: users.reset_second_factor(user.id, AT, user.actor),
    }
    with pytest.raises(Refused) as caught, place.database.unit():
        acts[act]()
    assert caught.value.reason is Reason.REQUEST_NOT_ALLOWED


def test_administrators_are_out_of_the_apis_reach(place: Place, users: Users) -> None:
    """Made, given a role, a password or back their factor at the server alone. In need, any of
    them is disabled from the API; the way back is the server's."""
    admin, bob = place.add("chief", Role.SYSTEM_ADMIN), place.add("bob")
    acts: tuple[Callable[[], object], ...] = (
        lambda: users.add(NewUser("eve", "某人", Role.AUDIT_ADMIN), PHC, AT, ACTOR),
        lambda: users.change(bob.id, Role.SECURITY_ADMIN, None, AT, ACTOR),
        lambda: users.change(admin.id, Role.OPERATIONS, None, AT, ACTOR),
        lambda: users.reset_password(admin.id, PHC, AT, ACTOR),
        lambda: users.reset_second_factor(admin.id, AT, ACTOR),
    )
    for act in acts:
        with pytest.raises(Refused) as caught, place.database.unit():
            act()
        assert caught.value.reason is Reason.REQUEST_NOT_ALLOWED
    with place.database.unit():
        users.set_state(admin.id, UserState.DISABLED, AT, ACTOR)
    with pytest.raises(Refused), place.database.unit():
        users.set_state(admin.id, UserState.ACTIVE, AT, ACTOR)


def test_operators_are_what_a_box_needs(place: Place) -> None:
    """Active, with a badge and a PIN, of this site; only hashes go down."""
    clerk, other = place.add("li.na", Role.CLERK), place.add("wu", Role.TECHNICIAN)
    with place.database.unit():
        badge = place.users.give_badge(clerk.id, AT, ACTOR)
        place.users.set_pin(clerk.id, hash_password("8063"), AT, ACTOR)
        place.users.give_badge(other.id, AT, ACTOR)
    (entry,) = place.users.list_operators("site1")
    assert (entry.id, entry.name, entry.role) == (clerk.id, "用户li.na", "clerk")
    assert entry.badge == badge_digest(badge)
    assert verify_password("8063", entry.pin)
    assert place.users.list_operators("site2") == ()
    with place.database.unit():
        place.users.set_state(clerk.id, UserState.DISABLED, AT, ACTOR)
    assert place.users.list_operators("site1") == ()


def test_who_leaves_the_counter_leaves_the_badge(place: Place) -> None:
    """Another role without a site takes badge and PIN away; another site keeps them."""
    clerk = place.add("li.na", Role.CLERK)
    with place.database.unit():
        place.users.give_badge(clerk.id, AT, ACTOR)
        place.users.set_pin(clerk.id, PHC, AT, ACTOR)
        place.users.change(clerk.id, Role.CLERK, "site2", AT, ACTOR)
    assert len(place.users.list_operators("site2")) == 1
    with place.database.unit():
        place.users.change(clerk.id, Role.OPERATIONS, None, AT, ACTOR)
        place.users.change(clerk.id, Role.CLERK, "site2", AT, ACTOR)
    assert place.users.list_operators("site2") == ()


def test_what_cannot_be_audited_is_not_done(place: Place) -> None:
    """On the real table, by a trigger that takes no rows: nobody is made, changed or let in."""
    bob = place.add("bob")
    secret = place.open(bob).secret
    place.database.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON audit_row BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    acts: tuple[Callable[[], object], ...] = (
        lambda: place.users.add(NewUser("eve", "某人", Role.OPERATIONS), PHC, AT, ACTOR),
        lambda: place.users.set_state(bob.id, UserState.DISABLED, AT, ACTOR),
        lambda: place.users.change(bob.id, Role.CLERK, "site1", AT, ACTOR),
    )
    for act in acts:
        with pytest.raises(Unavailable) as caught, place.database.unit():
            act()
        assert caught.value.reason is Reason.AUDIT_UNAVAILABLE
    assert [user.login for user in place.users.list()] == ["bob"]
    assert place.users.read(bob.id) == bob
    assert place.users.find_session(secret, place.clock.now()) is not None


@pytest.mark.parametrize("id", ["", "nobody", "0197b0f0-0000-7000-8000-000000000000"])
def test_an_unknown_user(place: Place, id: str) -> None:
    """Is not found."""
    with pytest.raises(OneCodeError) as caught:
        place.users.read(id)
    assert caught.value.reason is Reason.NOT_FOUND
