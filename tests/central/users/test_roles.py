"""The table of roles: separated administrators, and nobody without a place."""

from itertools import combinations

from central.users.roles import (
    ADMINISTRATORS,
    OWN_ACCOUNT,
    PERMISSIONS,
    SITE_ROLES,
    TOKEN_ROLES,
    Permission,
    Role,
)


def test_administrators_are_disjoint() -> None:
    """No permission of one administrator is another's, but for the own account."""
    for one, other in combinations(ADMINISTRATORS, 2):
        assert PERMISSIONS[one] & PERMISSIONS[other] == OWN_ACCOUNT


def test_the_audit_is_read_by_its_administrator_alone() -> None:
    """And users are changed by the security administrator alone."""
    for permission, role in (
        (Permission.AUDIT_READ, Role.AUDIT_ADMIN),
        (Permission.USERS_READ, Role.SECURITY_ADMIN),
        (Permission.USERS_WRITE, Role.SECURITY_ADMIN),
    ):
        assert [each for each in Role if permission in PERMISSIONS[each]] == [role]


def test_every_permission_is_somebodys() -> None:
    """And every role has a row."""
    assert set(PERMISSIONS) == set(Role)
    assert frozenset[Permission]().union(*PERMISSIONS.values()) == set(Permission)


def test_administrators_see_no_person_and_are_no_machine() -> None:
    """Who runs the system reads no patients; a token is never an administrator."""
    for role in ADMINISTRATORS:
        assert not {Permission.PERSONS_READ, Permission.PERSONS_UNMASK} & PERMISSIONS[role]
    assert not TOKEN_ROLES & ADMINISTRATORS
    assert not SITE_ROLES & ADMINISTRATORS
