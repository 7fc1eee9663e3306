"""Where boxes stand: what may be said of a place; sites and counters are kept when they are new."""

from dataclasses import replace

import msgspec

from central.fleet import store
from central.fleet.box import Place
from shared.desired import BoxSettings, check_settings
from shared.errors import Malformed
from shared.reasons import Reason

_LONGEST_NAME = 64


def complete_place(place: Place) -> Place:
    """The place with what is known of its box and site.

    Raises Malformed: a name that is empty, long, unprintable or not the site's; a serial number
    or a device that cannot be (REQUEST_MALFORMED, SETTING_IMPOSSIBLE).
    """
    known, site_name = store.find_box(place.id), store.find_site_name(place.id.site)
    if site_name is not None and place.site_name not in {"", site_name}:
        raise Malformed(Reason.REQUEST_MALFORMED, f"site {place.id.site} has another name")
    whole = replace(
        place,
        counter=place.counter or (known.counter if known else ""),
        site_name=site_name or place.site_name,
    )
    if not whole.counter.strip():
        raise Malformed(Reason.REQUEST_MALFORMED, "a new box needs the name of its counter")
    if not whole.site_name.strip():
        raise Malformed(Reason.REQUEST_MALFORMED, f"site {place.id.site} is new: it needs a name")
    for name in (whole.counter, whole.site_name, whole.machine or "any"):
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise Malformed(Reason.REQUEST_MALFORMED, f"a name has 1 to {_LONGEST_NAME} characters")
    try:
        devices = {"scanner": place.scanner, "printer": place.printer}
        check_settings(msgspec.convert(devices, BoxSettings))
    except msgspec.ValidationError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "a device is kind:path, or none") from error
    return whole


def keep_place(place: Place) -> int:
    """Keep the site and the counter of a complete place; the counter's key."""
    if store.find_site_name(place.id.site) is None:
        store.insert_site(place.id.site, place.site_name)
    return store.keep_counter(place.id.site, place.counter)
