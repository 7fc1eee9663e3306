"""The users' tables. Names and secrets are sealed columns; what is looked up is a keyed token.

No session's secret, machine token, password, PIN or recovery code can be read from them.
"""

import peewee

from central.storage.table import Table


class UserRow(Table):
    """A person who may sign in. ``password`` and ``pin`` are sealed PHC texts, ``totp`` the sealed
    secret; ``totp_since`` is empty until its first code, ``totp_step`` the last step used."""

    id = peewee.TextField(primary_key=True)
    login = peewee.BlobField()
    login_token = peewee.BlobField(unique=True)
    name = peewee.BlobField()
    role = peewee.TextField()
    site = peewee.TextField(null=True, index=True)
    state = peewee.TextField()
    language = peewee.TextField()
    password = peewee.BlobField()
    password_once = peewee.BooleanField()
    totp = peewee.BlobField(null=True)
    totp_since = peewee.BigIntegerField(null=True)
    totp_step = peewee.BigIntegerField()
    badge = peewee.BlobField(null=True, unique=True)
    pin = peewee.BlobField(null=True)
    made_at = peewee.BigIntegerField()

    class Meta:
        table_name = "user"


class RecoveryCode(Table):
    """One use instead of the second factor; gone when used."""

    token = peewee.BlobField(primary_key=True)
    user = peewee.ForeignKeyField(UserRow)


class SessionRow(Table):
    """A browser's session, by the token of its secret; gone when it ends."""

    token = peewee.BlobField(primary_key=True)
    user = peewee.ForeignKeyField(UserRow)
    made_at = peewee.BigIntegerField()
    seen_at = peewee.BigIntegerField()
    ends_at = peewee.BigIntegerField()

    class Meta:
        table_name = "session"


class MachineToken(Table):
    """A machine's token; ``scopes`` are permissions with spaces between."""

    id = peewee.TextField(primary_key=True)
    token = peewee.BlobField(unique=True)
    name = peewee.TextField()
    role = peewee.TextField()
    site = peewee.TextField(null=True)
    scopes = peewee.TextField()
    made_by = peewee.TextField()
    made_at = peewee.BigIntegerField()
    ends_at = peewee.BigIntegerField()
    used_at = peewee.BigIntegerField(null=True)
    revoked_at = peewee.BigIntegerField(null=True)


class SignInGuard(Table):
    """Failed tries at one account or from one address, which may be unknown ones."""

    token = peewee.BlobField(primary_key=True)
    user_id = peewee.TextField(null=True, index=True)
    failures = peewee.IntegerField()
    failed_at = peewee.BigIntegerField(index=True)
    until_at = peewee.BigIntegerField()


class SignInPlace(Table):
    """An account and an address that have signed in together, as one token."""

    token = peewee.BlobField(primary_key=True)
    seen_at = peewee.BigIntegerField(index=True)


MODELS: tuple[type[Table], ...] = (
    UserRow,
    RecoveryCode,
    SessionRow,
    MachineToken,
    SignInGuard,
    SignInPlace,
)
