"""The service manager: told when we are ready and at work; keeps our logs with their fields.

The only importer of cysystemd, and only where systemd has started us: elsewhere nothing is told
and logs go to standard error as lines.
"""

import logging
import os
from collections.abc import Mapping

from shared.errors import OneCodeError

_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
_PRIORITIES = {  # syslog(3)
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}


class ServiceManager:
    """Tells systemd how we are (sd_notify(3)); without it every call does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._listens = "NOTIFY_SOCKET" in environment
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog = int(microseconds) / 1e6 if microseconds.isdigit() and ours else None

    @property
    def watchdog_seconds(self) -> float | None:
        """Within how many seconds ``feed`` is expected; None when nobody watches."""
        return self._watchdog

    def ready(self) -> None:
        """Everything that was ordered after us may start."""
        self._notify("READY")

    def feed(self) -> None:
        """We made progress: do not restart us."""
        self._notify("WATCHDOG")

    def stopping(self) -> None:
        """We were told to end and are at it."""
        self._notify("STOPPING")

    def say(self, status: str) -> None:
        """One line for ``systemctl status``."""
        self._notify("STATUS", status)

    def _notify(self, what: str, value: str = "") -> None:
        if self._listens:
            from cysystemd.daemon import Notification, notify

            notify(Notification[what], value)


def set_up_logging(level: str, identifier: str) -> None:
    """Log to the journal with fields where systemd reads us, else to standard error as lines."""
    handler: logging.Handler
    if "JOURNAL_STREAM" in os.environ:
        handler = _Journal(identifier)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_LINE))
    logging.basicConfig(level=level, handlers=[handler])


class _Journal(logging.Handler):
    """One entry a record: the message, and ONECODE_REASON where one of our errors is told."""

    def __init__(self, identifier: str) -> None:
        super().__init__()
        self._identifier = identifier

    def emit(self, record: logging.LogRecord) -> None:
        from cysystemd.journal import send

        fields = {
            "message": self.format(record),
            "priority": _PRIORITIES.get(record.levelno, 5),
            "syslog_identifier": self._identifier,
            "logger": record.name,
            "code_file": record.pathname,
            "code_line": record.lineno,
            "code_func": record.funcName,
        }
        if reason := _reason(record):
            fields["onecode_reason"] = reason
        send(**fields)


def _reason(record: logging.LogRecord) -> str | None:
    told = record.args if isinstance(record.args, tuple) else ()
    raised = record.exc_info[1] if record.exc_info else None
    errors = (each for each in (*told, raised) if isinstance(each, OneCodeError))
    return next((str(error.reason) for error in errors), None)
