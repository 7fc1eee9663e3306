"""What is done to boxes from the console: invited, invited again, shut out. Each is audited.

An invite's text holds a secret: it is shown once, in the answer to the form, and kept nowhere.
"""

from datetime import datetime
from functools import partial

from aiohttp import web

from central.fleet.box import Place
from central.fleet.doors import format_fingerprint, read_door
from central.fleet.invites import DEFAULT_HOURS, IssuedInvite
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.frame import Frame
from central.web.console.reading import Reading
from central.web.console.words import REVOKE_REASONS, tell_time
from central.web.routing import PRINCIPAL
from central.web.visitors import read_form
from shared.errors import Malformed
from shared.ids import BoxId, parse_box_id
from shared.qr import Level, render_svg
from shared.reasons import Reason


class BoxActs:
    """Invites and revocation."""

    def __init__(self, site: Site, frame: Frame, reading: Reading) -> None:
        self._site = site
        self._frame = frame
        self._reading = reading

    def add_routes(self) -> None:
        """By role."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        invite, one = Permission.BOXES_INVITE, "/console/boxes/{site}/{box}"
        add("GET", "/console/invite", self.show_invite, permission=invite)
        add("POST", "/console/invite", self.invite, permission=invite)
        add("POST", f"{one}/invite", self.invite_again, permission=invite)
        add("POST", f"{one}/revoke", self.revoke, permission=Permission.BOXES_REVOKE)

    async def show_invite(self, request: web.Request) -> web.Response:
        """The form for a new box."""
        principal: Principal = request[PRINCIPAL]
        sites = await self._site.reader.run(partial(self._reading.list_sites, principal))
        return self._frame.page(
            request, "console/invite.html", sites=sites, own_site=principal.site or ""
        )

    async def invite(self, request: web.Request) -> web.Response:
        """An invite for the next box of a site."""
        form = await read_form(request)
        principal: Principal = request[PRINCIPAL]
        principal.check_site(form["site"])
        return await self._issue(request, form, None)

    async def invite_again(self, request: web.Request) -> web.Response:
        """An invite for another machine in a known box's place."""
        box = self._box(request)
        return await self._issue(request, await read_form(request), box)

    async def revoke(self, request: web.Request) -> web.Response:
        """Shut a box out; the broker hears of it within seconds."""
        box, why = self._box(request), (await read_form(request))["why"]
        if why not in {value for value, _, _ in REVOKE_REASONS}:
            raise Malformed(Reason.REQUEST_MALFORMED, "why")
        actor, at = request[PRINCIPAL].actor, self._site.clock.now()
        fleet = self._site.central.fleet
        await self._site.writer.run(partial(fleet.revoke, box, why, at, actor))
        return self._frame.page(request, "console/revoked.html")

    async def _issue(
        self, request: web.Request, form: dict[str, str], box: BoxId | None
    ) -> web.Response:
        at, language = self._site.clock.now(), self._frame.language(request)
        actor = request[PRINCIPAL].actor
        work = partial(self._write_invite, form, box, actor, at)
        issued, fingerprint = await self._site.writer.run(work)
        return self._frame.page(
            request,
            "console/invited.html",
            issued=issued,
            picture=render_svg(
                issued.text, Level.M, language.choose("邀请二维码", "Invite as a code")
            ),
            expires=tell_time(issued.expires_at, at),
            fingerprint=fingerprint,
        )

    def _write_invite(
        self, form: dict[str, str], box: BoxId | None, actor: str, at: datetime
    ) -> tuple[IssuedInvite, str]:
        central = self._site.central
        door = read_door(central.files, central.config)
        invites = central.fleet.invites
        place = Place(
            box or invites.next_box(form["site"], at),
            counter=form["counter"],
            site_name=form["site_name"],
            machine=form["machine"],
        )
        issued = invites.issue(place, door, at, actor, hours=DEFAULT_HOURS)
        return issued, format_fingerprint(door.ca_fingerprint)

    @staticmethod
    def _box(request: web.Request) -> BoxId:
        box = parse_box_id(f"{request.match_info['site']}/{request.match_info['box']}")
        principal: Principal = request[PRINCIPAL]
        principal.check_site(box.site)
        return box
