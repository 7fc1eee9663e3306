"""Joining: from an invite's text to an installed box, step by step, each durable before the next.

Cut off anywhere, the same invite goes on where it was: the same keys, the same request, so central
gives the same answer. Refused, nothing is kept. Blocking; not for the event loop's thread.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from agent.config import BoxFiles, CentralAddress
from agent.enrolment.alone import alone
from agent.enrolment.centre import Centre, certificate_digest, fetch_authority
from agent.enrolment.certificates import build_csr, check_certificate, new_tls_key
from agent.enrolment.drafts import Answered, Drafts, Joined, NewKeys, invite_digest
from agent.enrolment.found import Machine
from agent.enrolment.installing import finish_install, install
from agent.enrolment.leaving import queue_at_rest
from agent.enrolment.states import Edge, JoinState, Observe, ignore
from shared.clock import Clock, from_microseconds
from shared.crypto import KEY_BYTES, STD
from shared.errors import NotAuthentic, Refused
from shared.ids import parse_box_id
from shared.joining import CentreAnswer, Invite, JoinRequest, parse_invite
from shared.reasons import Reason
from shared.sealing import wrap_pair_key


@dataclass(frozen=True)
class Joining:
    """One way to join: which box directory and machine, with which devices, anew or not."""

    files: BoxFiles
    serial: str
    clock: Clock
    machine: Machine
    again: bool = False
    export: Path | None = None
    """Where unsent records are written to: without it they keep the box from joining anew."""
    observe: Observe = ignore

    def join(self, text: str) -> Joined:
        """Use an invite's text; the box is installed when this returns.

        Raises Malformed (INVITE_MALFORMED), Refused (BOX_JOINED, QUEUE_UNSENT, or central's
        reason), NotAuthentic (CENTRE_NOT_EXPECTED), Unavailable: then the same text goes on.
        """
        invite = parse_invite(text)
        with alone(self.files):
            return self._join(invite)

    def _join(self, invite: Invite) -> Joined:
        finish_install(self.files, self.machine, self.observe)
        drafts = Drafts(self.files.enrolment)
        joined = drafts.joined()
        if joined is not None and joined.invite == invite_digest(invite):
            return joined
        if self.files.config.exists() and not self.again:
            raise Refused(Reason.BOX_JOINED)
        with queue_at_rest(self.files, self.export, self.clock):
            if drafts.invite() != invite:
                drafts.clear()
                drafts.keep(JoinState.INVITED, invite)
                self.observe(Edge.INVITE_KEPT)
            return self._go_on(drafts, invite)

    def _go_on(self, drafts: Drafts, invite: Invite) -> Joined:
        if drafts.state is JoinState.INVITED:
            with _nothing_kept_when_refused(drafts):
                known = _learn_centre(invite)
            drafts.keep(JoinState.CENTRE_KNOWN, known)
            self.observe(Edge.CENTRE_KEPT)
        known = drafts.centre()
        if drafts.state is JoinState.CENTRE_KNOWN:
            drafts.keep(JoinState.KEYS_MADE, _make_keys(invite, known, self.serial))
            self.observe(Edge.KEYS_KEPT)
        if drafts.state is JoinState.KEYS_MADE:
            keys = drafts.keys()
            with _nothing_kept_when_refused(drafts):
                answered = self._ask(invite, known, keys)
            drafts.keep(JoinState.ANSWERED, answered)
            self.observe(Edge.ANSWER_KEPT)
        return install(self.files, self.machine, self.observe)

    def _ask(self, invite: Invite, known: CentreAnswer, keys: NewKeys) -> Answered:
        centre = Centre(CentralAddress(invite.host, invite.port), known.ca)
        ahead = self.clock.now() - centre.learn_time(known.announcements)
        try:
            answer = centre.join(keys.request)
        except Refused as refusal:
            if refusal.reason is Reason.INVITE_OTHER_MACHINE:
                raise Refused(refusal.reason, f"this machine is {keys.request.serial}") from refusal
            raise
        self.observe(Edge.ASKED)
        if answer.box != invite.box:
            raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "answered for another box")
        at = from_microseconds(answer.central_at)
        box = parse_box_id(answer.box)
        check_certificate(answer.certificate, keys.tls_key, known.ca, box, at)
        return Answered(answer, ahead // timedelta(milliseconds=1))


def _learn_centre(invite: Invite) -> CentreAnswer:
    """Who central is: first from whoever answers, then from whom the invite's authority vouches
    for, because only that one's keys are to be believed."""
    centre = Centre(CentralAddress(invite.host, invite.port), fetch_authority(invite))
    known = centre.fetch_centre()
    if certificate_digest(known.ca) != invite.ca_fingerprint:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "another authority")
    return known


def _make_keys(invite: Invite, known: CentreAnswer, serial: str) -> NewKeys:
    tls_key, signing_key = new_tls_key(), STD.new_signing_key()
    pair_key = os.urandom(KEY_BYTES)
    public = signing_key.public_bytes
    request = JoinRequest(
        secret=invite.secret,
        serial=serial,
        csr=build_csr(tls_key, parse_box_id(invite.box)),
        signing_public=public,
        pair_key=wrap_pair_key(STD, known.central_public, public, pair_key),
    )
    return NewKeys(tls_key, signing_key.to_bytes(), pair_key, request)


@contextmanager
def _nothing_kept_when_refused(drafts: Drafts) -> Iterator[None]:
    """What was refused will be refused again: the next invite begins anew."""
    try:
        yield
    except Refused:
        drafts.clear()
        raise
