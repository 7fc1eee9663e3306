"""Sessions and machine tokens: how long they live, and what ends them at once."""

import pytest

from central.users.principal import Principal
from central.users.roles import Permission, Role
from central.users.tokens import NewToken, token_permissions
from central.users.user import UserState
from shared.errors import Refused
from shared.reasons import Reason
from tests.central.users.conftest import ACTOR, PHC, Place


def is_alive(place: Place, secret: str, *, touch: bool = True) -> bool:
    return place.users.find_session(secret, place.clock.now(), touch=touch) is not None


@pytest.mark.parametrize(
    ("role", "minutes"), [(Role.SECURITY_ADMIN, 15), (Role.OPERATIONS, 480), (Role.CLERK, 480)]
)
def test_an_idle_session_ends(place: Place, role: Role, minutes: int) -> None:
    """Administrators sooner; use keeps it, and what a page asks by itself does not."""
    secret = place.open(place.add("bob", role)).secret
    place.pass_time(minutes=0.4 * minutes)
    assert is_alive(place, secret)
    place.pass_time(minutes=minutes - 1)
    assert is_alive(place, secret, touch=False)
    place.pass_time(minutes=1)
    assert not is_alive(place, secret)


def test_use_is_seen_by_another_process(place: Place) -> None:
    """When a session was used is written from time to time, and never set back."""
    signed_in = place.open(place.add("bob", Role.SYSTEM_ADMIN))
    place.pass_time(minutes=14)
    assert is_alive(place, signed_in.secret)
    with place.database.unit():
        place.users.tidy(place.clock.now())
    place.pass_time(minutes=14)
    assert is_alive(place, signed_in.secret, touch=False)
    assert place.database.execute("SELECT seen_at FROM session").fetchone()[0] > 0


def test_a_session_ends_at_its_latest(place: Place) -> None:
    """Twelve hours after sign-in, however much it is used; then it is forgotten."""
    signed_in = place.open(place.add("bob"))
    for _ in range(11):
        place.pass_time(hours=1)
        assert is_alive(place, signed_in.secret)
    place.pass_time(hours=1)
    assert not is_alive(place, signed_in.secret)
    with place.database.unit():
        place.users.tidy(place.clock.now())
    assert place.database.execute("SELECT count(*) FROM session").fetchone()[0] == 0


def test_what_ends_every_session_of_a_user(place: Place) -> None:
    """A change of state, role or password, a lost factor; of that user alone, and the change is
    told to whoever remembers."""
    bob, eve = place.add("bob"), place.add("eve")
    kept = place.open(eve).secret
    users, at = place.users, place.clock.now()
    for end in (
        lambda: users.set_state(bob.id, UserState.DISABLED, at, ACTOR),
        lambda: users.set_state(bob.id, UserState.ACTIVE, at, ACTOR),
        lambda: users.change(bob.id, Role.CLERK, "site1", at, ACTOR),
        lambda: users.reset_password(bob.id, PHC, at, ACTOR),
        lambda: users.reset_second_factor(bob.id, at, ACTOR),
        lambda: users.sessions.end_all(bob.id),
    ):
        with place.database.unit():
            users.sessions.end_all(bob.id)
            secrets = (
                []
                if users.read(bob.id).state is UserState.DISABLED
                else [users.sessions.open(users.read(bob.id), at).secret for _ in range(2)]
            )
        generation = users.generation
        with place.database.unit():
            end()
        assert not any(is_alive(place, secret) for secret in secrets)
        assert users.generation > generation
    assert is_alive(place, kept)


def test_each_sign_in_has_a_secret_of_its_own(place: Place) -> None:
    """Nothing a browser brings becomes a session; signing out ends one and not the other; the
    seventeenth ends the first."""
    user = place.add("bob")
    first, second = place.open(user), place.open(user)
    assert first.secret != second.secret
    assert first.session.csrf != second.session.csrf
    with place.database.unit():
        assert place.users.sessions.end(first.secret)
        assert not place.users.sessions.end("made up by somebody else")
    assert not is_alive(place, first.secret)
    assert is_alive(place, second.secret)
    for _ in range(16):
        place.pass_time(seconds=1)
        place.open(user)
    assert not is_alive(place, second.secret)


def issue(place: Place, new: NewToken) -> tuple[str, str]:
    """Id and text."""
    with place.database.unit():
        token, text = place.users.tokens.issue(new, place.clock.now(), ACTOR)
    return token.id, text


def find(place: Place, text: str) -> Principal | None:
    return place.users.find_token(text, place.clock.now())


def test_a_token_is_a_principal(place: Place) -> None:
    """With the scopes it was given, at its site, until it is over."""
    scopes = frozenset({Permission.CARDS_READ})
    id, text = issue(place, NewToken("HIS", site="site1", scopes=scopes, days=30))
    found = find(place, text)
    assert found == Principal(id, "HIS", Role.INTEGRATION, "site1", "token", scopes)
    assert found.sees("site1")
    with pytest.raises(Refused) as caught:
        found.check_site("site2")
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(Refused) as caught:
        found.check(Permission.CARDS_WRITE)
    assert caught.value.reason is Reason.PERMISSION_MISSING
    place.pass_time(days=30)
    assert find(place, text) is None


def test_a_token_without_scopes_has_its_roles(place: Place) -> None:
    """All that its role may, but for an account it does not have and for persons in clear."""
    _, text = issue(place, NewToken("monitor", Role.OPERATIONS))
    found = find(place, text)
    assert found is not None
    assert found.permissions == token_permissions(Role.OPERATIONS)


def test_a_revoked_token_opens_nothing(place: Place) -> None:
    """At once; and revoking it again is no second act."""
    id, text = issue(place, NewToken("HIS"))
    assert find(place, text) is not None
    generation = place.users.generation
    for _ in range(2):
        with place.database.unit():
            place.users.tokens.revoke(id, place.clock.now(), ACTOR)
    assert find(place, text) is None
    assert place.users.generation > generation
    assert len(place.acts("token.revoke")) == 1


@pytest.mark.parametrize("text", ["", "oc_", "oc_" + "0" * 43, "oc_" + "é" * 43, "x" * 10_000])
def test_what_is_no_token(place: Place, text: str) -> None:
    """Made-up texts are nobody's."""
    issue(place, NewToken("HIS"))
    assert find(place, text) is None


def test_when_a_token_was_used_is_known(place: Place) -> None:
    """Written from time to time."""
    id, text = issue(place, NewToken("HIS"))
    assert place.users.tokens.read(id).used_at is None
    find(place, text)
    with place.database.unit():
        place.users.tidy(place.clock.now())
    assert place.users.tokens.read(id).used_at == place.clock.now()
