"""From a kept answer to a box that has joined: the files that everything else reads.

May be cut off anywhere and begun again: it writes the same files from the same drafts, and
``box.toml``, which makes a box, comes last. Needs no network; whoever comes next finishes it.
"""

import logging

import msgspec

from agent.config import (
    BoxConfig,
    BoxFiles,
    BrokerAddress,
    CentralAddress,
    read_box_config,
)
from agent.enrolment.box_toml import build_box_toml
from agent.enrolment.drafts import Drafts, Joined, invite_digest
from agent.enrolment.found import Machine
from agent.enrolment.leaving import set_aside
from agent.enrolment.states import Edge, JoinState, Observe, ignore
from agent.enrolment.validity import read_validity
from shared.clock import to_microseconds
from shared.config import replace_file, replace_secret
from shared.desired import encode_desired
from shared.errors import Unavailable
from shared.reasons import Reason

log = logging.getLogger(__name__)


def finish_install(files: BoxFiles, machine: Machine, observe: Observe = ignore) -> None:
    """Go on with an install that was cut off, if one was. Raises Unavailable (disk), Refused."""
    drafts = Drafts(files.enrolment)
    match drafts.state:
        case JoinState.ANSWERED:
            install(files, machine, observe)
        case JoinState.JOINED:
            drafts.clear(keep=JoinState.JOINED)


def install(files: BoxFiles, machine: Machine, observe: Observe = ignore) -> Joined:
    """Write a box from its drafts, as answered. Raises Unavailable (disk), Refused."""
    drafts = Drafts(files.enrolment)
    invite, keys = drafts.invite(), drafts.keys()
    centre, answered = drafts.centre(), drafts.answered()
    answer = answered.answer
    assert invite is not None, "a state has all drafts before it"
    former = _former(files, machine)
    config = msgspec.structs.replace(
        former,
        box=answer.box,
        counter=answer.counter,
        site_name=answer.site_name,
        broker=BrokerAddress(answer.broker_host, answer.broker_port),
        central_public=centre.central_public.hex(),
        code_keys=answer.code_keys,
        announcements=centre.announcements.hex(),
        central=CentralAddress(invite.host, invite.port),
        signing_key_id=answer.signing_key_id,
        epoch=answer.epoch,
        number=answer.number,
    )
    _set_aside(files, answer.box)
    if former.box != answer.box:
        _forget_people(files)
    observe(Edge.QUEUE_SET_ASIDE)
    replace_file(files.ca, centre.ca.encode())
    observe(Edge.CA_INSTALLED)
    replace_secret(files.certificate, answer.certificate.encode() + keys.tls_key)
    observe(Edge.CERTIFICATE_INSTALLED)
    replace_secret(files.signing_key, keys.signing_key)
    observe(Edge.SIGNING_KEY_INSTALLED)
    replace_secret(files.pair_key, keys.pair_key)
    observe(Edge.PAIR_KEY_INSTALLED)
    files.desired.unlink(missing_ok=True)
    if answer.desired is not None:
        replace_secret(files.desired, encode_desired(answer.desired))
    observe(Edge.DESIRED_INSTALLED)
    replace_file(files.config, build_box_toml(config).encode())
    observe(Edge.CONFIG_INSTALLED)
    joined = Joined(
        invite=invite_digest(invite),
        box=answer.box,
        site_name=answer.site_name,
        counter=answer.counter,
        joined_at=answer.central_at,
        certificate_until=to_microseconds(read_validity(answer.certificate.encode()).not_after),
        clock_ahead_ms=answered.clock_ahead_ms,
    )
    drafts.keep(JoinState.JOINED, joined)
    observe(Edge.JOINED_NOTED)
    drafts.clear(keep=JoinState.JOINED)
    log.info("box %s has joined: %s, %s", joined.box, joined.site_name, joined.counter)
    return joined


def _former(files: BoxFiles, machine: Machine) -> BoxConfig:
    """What this machine was told before, or the devices that it has."""
    try:
        return read_box_config(files)
    except Unavailable:
        nowhere = BrokerAddress("", 0)
        return BoxConfig(
            "",
            "",
            "",
            nowhere,
            "",
            {},
            api_port=machine.api_port,
            scanner=machine.scanner,
            printer=machine.printer,
        )


def _forget_people(files: BoxFiles) -> None:
    """Another name may be another hospital: its workstations and operators are not this one's."""
    try:
        for path in (files.workstations, files.wrong_pins):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(files.directory)) from error


def _set_aside(files: BoxFiles, box: str) -> None:
    """A queue of another box keeps its name and stays readable; that box's cache is of no use."""
    try:
        if set_aside(files, staying=box):
            for tail in ("-wal", "-shm", ""):
                files.cache.with_name(files.cache.name + tail).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(files.queue)) from error
