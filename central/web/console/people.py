"""Persons and their cards by search, and the link that shows a card on a phone.

What is typed goes in a form's body, never in an address. Results are masked.
Showing one in clear needs a reason, and is audited before it is shown.
"""

from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from central.cards.card import parse_card_id
from central.cards.links import Link
from central.patients.person import Person, parse_person_id
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.frame import Frame
from central.web.console.reading import PersonLine, Reading
from central.web.console.words import CARD_STATES, SEXES, UNMASK_REASONS, tell_time
from central.web.routing import PRINCIPAL
from central.web.visitors import read_form
from shared.errors import Malformed
from shared.qr import Level, render_svg
from shared.reasons import Reason
from shared.residents import DOCUMENT_TYPES

_LONGEST_TEXT = 100


class PeoplePages:
    """Search and unmasking."""

    def __init__(self, site: Site, frame: Frame, reading: Reading) -> None:
        self._site = site
        self._frame = frame
        self._reading = reading

    def add_routes(self) -> None:
        """The form, its answer, one person in clear, and a link."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        read = Permission.PERSONS_READ
        add("GET", "/console/search", self.show, permission=read)
        add("POST", "/console/search", self.search, permission=read)
        add("POST", "/console/cards/{card}/link", self.link, permission=Permission.CODES_ISSUE)
        unmask = Permission.PERSONS_UNMASK
        add("POST", "/console/persons/{person}/unmask", self.unmask, permission=unmask)

    async def show(self, request: web.Request) -> web.Response:
        """The form."""
        return self._frame.page(request, "console/search.html")

    async def search(self, request: web.Request) -> web.Response:
        """Whom a text means."""
        text = (await read_form(request))["text"][:_LONGEST_TEXT]
        return self._frame.answer(
            request, await self._site.reader.run(partial(self._search, request, text))
        )

    async def unmask(self, request: web.Request) -> web.Response:
        """One person in clear."""
        why = (await read_form(request))["why"]
        if why not in {value for value, _, _ in UNMASK_REASONS}:
            raise Malformed(Reason.REQUEST_MALFORMED, "why")
        # In the writer: what cannot be audited is not shown.
        work = partial(self._unmask, request, why, self._site.clock.now())
        person, line = await self._site.writer.run(work)
        values = _show(line) | {
            "unmasked": True,
            "name": person.name,
            "document": person.document.number,
            "born": person.birth_date.isoformat() if person.birth_date else "",
        }
        return self._frame.page(
            request, "console/person.html", person=values, may_unmask=False, may_link=False
        )

    async def link(self, request: web.Request) -> web.Response:
        """A one-time link to the card's page, as a symbol for its holder's phone; shown once."""
        at, language = self._site.clock.now(), self._frame.language(request)
        link = await self._site.writer.run(partial(self._make_link, request, at))
        base = self._site.central.config.web.public_url or f"http://{request.headers['Host']}"
        address = f"{base}/me/{link.secret}"
        label = language.choose("手机健康码的链接", "Link to the code on a phone")
        return self._frame.page(
            request,
            "console/linked.html",
            address=address,
            picture=render_svg(address, Level.M, label),
            expires=tell_time(link.expires_at, at),
        )

    def _make_link(self, request: web.Request, at: datetime) -> Link:
        principal: Principal = request[PRINCIPAL]
        central = self._site.central
        card = central.cards.read(parse_card_id(request.match_info["card"]))
        self._reading.read_person(principal, card.person)
        central.cards.static_code(card)  # a card that shows no code is given no link
        return central.links.make(card.id, at, principal.actor)

    def _search(self, request: web.Request, text: str) -> str:
        principal: Principal = request[PRINCIPAL]
        lines = self._reading.find_persons(principal, text)
        return self._frame.render(
            request,
            "console/found.html",
            persons=[_show(line) for line in lines],
            may_unmask=principal.may(Permission.PERSONS_UNMASK),
            may_link=principal.may(Permission.CODES_ISSUE),
            reasons=UNMASK_REASONS,
        )

    def _unmask(self, request: web.Request, why: str, at: datetime) -> tuple[Person, PersonLine]:
        principal: Principal = request[PRINCIPAL]
        person = self._reading.read_person(principal, parse_person_id(request.match_info["person"]))
        self._site.central.audit.write(
            "person.unmask", str(person.id), principal.actor, at, why=why
        )
        return person, self._reading.mask(person, principal)


def _show(line: PersonLine) -> dict[str, Any]:
    type, sex = DOCUMENT_TYPES[line.document_type], SEXES[line.sex]
    return {
        "id": line.id,
        "unmasked": False,
        "name": line.name,
        "document": line.document,
        "type_zh": type.zh,
        "type_en": type.en,
        "sex_zh": sex[0],
        "sex_en": sex[1],
        "born": line.birth_year,
        "card": CARD_STATES[line.card.state] if line.card else None,
        "card_id": str(line.card.id) if line.card else "",
        "sites": line.sites,
    }
