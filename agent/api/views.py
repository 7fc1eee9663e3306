"""What the local API tells of the whole box, as plain data; free of the HTTP library, which loads
late."""

from datetime import datetime

import msgspec

from agent.counter.views import Advice, ScanView
from shared.devices import DeviceState, PrinterCondition
from shared.ledger import Account


class LinkView(msgspec.Struct, frozen=True):
    """The line to central: its state and since when."""

    state: str
    since: datetime


class DeviceView(msgspec.Struct, frozen=True):
    """A device by name, how it is, and what to do about it."""

    name: str
    state: DeviceState
    conditions: tuple[PrinterCondition, ...] = ()
    advice: Advice | None = None


class AccountView(msgspec.Struct, frozen=True):
    """created = acknowledged + pending + tombstoned, and whether it holds."""

    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    holds: bool
    text: str


class StateView(msgspec.Struct, frozen=True):
    """Everything a counter shows at a glance."""

    box: str
    counter: str
    link: LinkView
    account: AccountView
    scanner: DeviceView
    printer: DeviceView
    main: ScanView | None


def view_account(account: Account) -> AccountView:
    """The account as it is shown."""
    return AccountView(
        account.created,
        account.acknowledged,
        account.pending,
        account.tombstoned,
        account.holds,
        str(account),
    )
