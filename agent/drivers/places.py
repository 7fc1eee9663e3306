"""Which device is the one that was here before: places that outlive plugs. Pure (docs/adr/0011)."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from agent.drivers.discovery import Found
from agent.ports import DeviceDescriptor

_Key = Callable[[DeviceDescriptor], Hashable]


def assign(known: Mapping[int, DeviceDescriptor], present: Sequence[Found]) -> dict[int, Found]:
    """The place of each device that is there; newcomers get the next free numbers.

    A device is the one known by vendor and serial; without a serial by vendor and port (the product
    id changes with a scanner's mode, hardware.md); else it is the only one of its make that is
    missing, if it is the only newcomer of its make. Twins with one serial number count as having
    none.
    """
    serials = [found.device.serial for found in present]
    placed: dict[int, Found] = {}

    def by_serial(device: DeviceDescriptor) -> Hashable:
        unique = device.serial and serials.count(device.serial) <= 1
        return (device.vendor_id, device.serial) if unique else None

    def by_port(device: DeviceDescriptor) -> Hashable:
        return (device.vendor_id, device.port, device.serial) if device.port else None

    def by_make(device: DeviceDescriptor) -> Hashable:
        return None if by_serial(device) else _make(device)

    for key in (by_serial, by_port):
        _match(known, present, placed, key)
    _match(known, present, placed, by_make)
    newcomers = [found for found in present if found not in placed.values()]
    free = max([*known, *placed, 0]) + 1
    return placed | dict(enumerate(newcomers, free))


def _match(
    known: Mapping[int, DeviceDescriptor],
    present: Sequence[Found],
    placed: dict[int, Found],
    key: _Key,
) -> None:
    """Put into ``placed`` whoever is alone with its key on both sides."""
    missing = [(key(device), place) for place, device in known.items() if place not in placed]
    coming = [(key(found.device), found) for found in present if found not in placed.values()]
    for name, place in missing:
        fitting = [found for other, found in coming if other == name]
        alone = [other for other, _ in missing].count(name) == 1
        if name is not None and alone and len(fitting) == 1:
            placed[place] = fitting[0]


def _make(device: DeviceDescriptor) -> Hashable:
    return device.vendor_id, device.product_id
