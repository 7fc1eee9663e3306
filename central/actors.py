"""Who acts, as the audit names them."""

import os
import pwd


def command_actor() -> str:
    """The system's user behind a command line."""
    user = os.getuid()
    try:
        return f"command:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"command:{user}"
