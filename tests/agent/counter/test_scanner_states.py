"""How several scanners stand together, and what ends what was known of them."""

from agent.counter.scanner_states import ScannerStates
from agent.ports import DeviceChanged, DeviceDescriptor, DeviceReported, ScannerExchanged
from shared.devices import DeviceState
from shared.reasons import Reason

NONE = DeviceChanged(DeviceDescriptor("", ""), DeviceState.OPENING)
KEYBOARD = DeviceDescriptor("Keyboard", "/dev/input/event0")


def state(place: str, state: DeviceState, reason: Reason | None = None) -> DeviceChanged:
    """A scanner's word."""
    return DeviceChanged(DeviceDescriptor(place, "", place=place), state, reason)


def test_the_best_of_them_counts() -> None:
    """A counter works as long as one is ready; a ready one that needs a cure is shown."""
    states = ScannerStates(NONE)
    assert states.together == NONE
    states.take(state("", DeviceState.ABSENT))
    states.take(state("1", DeviceState.DENIED, Reason.DEVICE_IN_USE))
    assert states.together.state is DeviceState.DENIED
    states.take(state("10", DeviceState.READY))
    states.take(state("2", DeviceState.READY, Reason.SCANNER_LAYOUT))
    assert states.together.reason is Reason.SCANNER_LAYOUT
    assert [each.device.place for each in states.each] == ["1", "2", "10"]


def test_a_report_stands_until_it_ends() -> None:
    """One a device."""
    states = ScannerStates(NONE)
    states.take(DeviceReported(KEYBOARD, Reason.KEYBOARD_UNKNOWN))
    assert states.reports == ((KEYBOARD, Reason.KEYBOARD_UNKNOWN),)
    states.take(DeviceReported(KEYBOARD, None))
    assert not states.reports


def test_an_exchange_ends_what_was_known() -> None:
    """No scanner of the former driver's stays ready, no report stays."""
    states = ScannerStates(NONE)
    states.take(state("1", DeviceState.READY))
    states.take(DeviceReported(KEYBOARD, Reason.KEYBOARD_UNKNOWN))
    states.take(ScannerExchanged())
    assert (states.each, states.reports, states.together) == ((), (), NONE)
