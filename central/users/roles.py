"""Roles and what each may do: one table, pure.

The three administrators are disjoint (等保三级: separated administrators): no permission of one is
another's, but for reading and keeping one's own account. A user has exactly one role. Who works
at a site sees and changes that site alone.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a user or a token is, by one word."""

    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"
    OPERATIONS = "operations"
    SITE_OPERATOR = "site-operator"
    CLERK = "clerk"
    TECHNICIAN = "technician"
    INTEGRATION = "integration"


class Permission(StrEnum):
    """One thing that may be done. ``account`` is one's own account here, not the boxes' ledger."""

    PERSONS_READ = "persons:read"
    PERSONS_WRITE = "persons:write"
    PERSONS_UNMASK = "persons:unmask"
    CARDS_READ = "cards:read"
    CARDS_WRITE = "cards:write"
    CODES_ISSUE = "codes:issue"
    SCANS_READ = "scans:read"
    INSTITUTIONS_READ = "institutions:read"
    INSTITUTIONS_WRITE = "institutions:write"
    BOXES_READ = "boxes:read"
    BOXES_WRITE = "boxes:write"
    BOXES_INVITE = "boxes:invite"
    BOXES_REVOKE = "boxes:revoke"
    CASES_READ = "cases:read"
    CASES_DECIDE = "cases:decide"
    AUDIT_READ = "audit:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"


_P = Permission
OWN_ACCOUNT = frozenset({_P.ACCOUNT_READ, _P.ACCOUNT_WRITE})
"""What everyone may, and all that a session may whose user still owes a password or a factor."""

_COUNTER = {_P.PERSONS_READ, _P.PERSONS_WRITE, _P.PERSONS_UNMASK, _P.CARDS_READ, _P.CODES_ISSUE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.SYSTEM_ADMIN: OWN_ACCOUNT
    | {
        _P.INSTITUTIONS_READ,
        _P.INSTITUTIONS_WRITE,
        _P.BOXES_READ,
        _P.BOXES_WRITE,
        _P.BOXES_INVITE,
        _P.BOXES_REVOKE,
        _P.CASES_READ,
        _P.CASES_DECIDE,
    },
    Role.SECURITY_ADMIN: OWN_ACCOUNT | {_P.USERS_READ, _P.USERS_WRITE},
    Role.AUDIT_ADMIN: OWN_ACCOUNT | {_P.AUDIT_READ},
    Role.OPERATIONS: OWN_ACCOUNT
    | _COUNTER
    | {
        _P.CARDS_WRITE,
        _P.SCANS_READ,
        _P.INSTITUTIONS_READ,
        _P.BOXES_READ,
        _P.BOXES_WRITE,
        _P.BOXES_INVITE,
        _P.CASES_READ,
        _P.CASES_DECIDE,
    },
    Role.SITE_OPERATOR: OWN_ACCOUNT
    | _COUNTER
    | {
        _P.CARDS_WRITE,
        _P.SCANS_READ,
        _P.INSTITUTIONS_READ,
        _P.BOXES_READ,
        _P.BOXES_WRITE,
        _P.BOXES_INVITE,
        _P.CASES_READ,
        _P.CASES_DECIDE,
    },
    Role.CLERK: OWN_ACCOUNT | _COUNTER | {_P.SCANS_READ},
    Role.TECHNICIAN: OWN_ACCOUNT | {_P.BOXES_READ, _P.BOXES_INVITE},
    Role.INTEGRATION: frozenset(
        {
            _P.ACCOUNT_READ,
            _P.PERSONS_READ,
            _P.PERSONS_WRITE,
            _P.CARDS_READ,
            _P.CODES_ISSUE,
            _P.SCANS_READ,
            _P.INSTITUTIONS_READ,
            _P.BOXES_READ,
        }
    ),
}

ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""Two factors; made and reset at the server's own command line only."""

SITE_ROLES = frozenset({Role.SITE_OPERATOR, Role.CLERK, Role.TECHNICIAN})
"""Bound to one site. They are also who signs in at boxes, by badge and PIN."""

TOKEN_ROLES = frozenset({Role.INTEGRATION, Role.OPERATIONS, Role.SITE_OPERATOR})
"""What a machine may be: never an administrator, who is a person with two factors."""
