"""The API's operations on institutions and sites."""

from typing import Any

import msgspec

from central.fleet.estate import Estate, Institution, Site
from central.users.roles import Permission
from central.web.fields import Label, Page, PageQuery, SitePath, Text, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.reasons import Reason


class InstitutionPath(msgspec.Struct, frozen=True):
    """An institution."""

    institution: Label


class InstitutionView(msgspec.Struct, frozen=True):
    """A body that runs sites."""

    id: str
    name: str


class SiteView(msgspec.Struct, frozen=True):
    """A hospital or campus; ``name`` is what labels show."""

    id: str
    institution: str
    name: str


class NewInstitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An institution to be."""

    id: Label
    name: Text


class NewSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site to be, of a known institution."""

    id: Label
    institution: Label
    name: Text


class NewName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another name."""

    name: Text


_NAMES = (Reason.NAME_CONTROL_CHARACTER,)


class EstateRoutes:
    """Institutions and sites over HTTP."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> list[AnyOperation]:
        """What can be done with institutions and sites."""
        return [*self._institution_operations(), *self._site_operations()]

    def _institution_operations(self) -> list[AnyOperation]:
        return [
            Operation(
                id="listInstitutions",
                method="GET",
                path="/institutions",
                tag="institutions",
                summary_zh="机构",
                summary_en="Institutions",
                permission=Permission.INSTITUTIONS_READ,
                work=Work.LIST,
                query_shape=PageQuery,
                answer=Page[InstitutionView],
                run=self._list_institutions,
            ),
            Operation(
                id="readInstitution",
                method="GET",
                path="/institutions/{institution}",
                tag="institutions",
                summary_zh="读取一个机构",
                summary_en="Read an institution",
                permission=Permission.INSTITUTIONS_READ,
                work=Work.POINT,
                path_shape=InstitutionPath,
                answer=InstitutionView,
                run=self._read_institution,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="addInstitution",
                method="POST",
                path="/institutions",
                tag="institutions",
                summary_zh="新建机构",
                summary_en="Make an institution",
                permission=Permission.INSTITUTIONS_WRITE,
                work=Work.WRITE,
                body_shape=NewInstitution,
                answer=InstitutionView,
                created=True,
                run=self._add_institution,
                reasons=(Reason.ALREADY_EXISTS, *_NAMES),
            ),
            Operation(
                id="renameInstitution",
                method="POST",
                path="/institutions/{institution}/rename",
                tag="institutions",
                summary_zh="机构改名",
                summary_en="Rename an institution",
                permission=Permission.INSTITUTIONS_WRITE,
                work=Work.WRITE,
                path_shape=InstitutionPath,
                body_shape=NewName,
                answer=InstitutionView,
                run=self._rename_institution,
                current=self._read_institution,
                reasons=(Reason.NOT_FOUND, *_NAMES),
            ),
        ]

    def _site_operations(self) -> list[AnyOperation]:
        return [
            Operation(
                id="listSites",
                method="GET",
                path="/sites",
                tag="sites",
                summary_zh="院区",
                summary_en="Sites",
                permission=Permission.INSTITUTIONS_READ,
                work=Work.LIST,
                query_shape=PageQuery,
                answer=Page[SiteView],
                run=self._list_sites,
            ),
            Operation(
                id="readSite",
                method="GET",
                path="/sites/{site}",
                tag="sites",
                summary_zh="读取一个院区",
                summary_en="Read a site",
                permission=Permission.INSTITUTIONS_READ,
                work=Work.POINT,
                path_shape=SitePath,
                answer=SiteView,
                run=self._read_site,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="addSite",
                method="POST",
                path="/sites",
                tag="sites",
                summary_zh="新建院区",
                summary_en="Make a site",
                permission=Permission.INSTITUTIONS_WRITE,
                work=Work.WRITE,
                body_shape=NewSite,
                answer=SiteView,
                created=True,
                run=self._add_site,
                reasons=(Reason.ALREADY_EXISTS, Reason.NOT_FOUND, Reason.ID_RESERVED, *_NAMES),
            ),
            Operation(
                id="renameSite",
                method="POST",
                path="/sites/{site}/rename",
                tag="sites",
                summary_zh="院区改名，标签随之改变",
                summary_en="Rename a site; labels follow",
                permission=Permission.INSTITUTIONS_WRITE,
                work=Work.WRITE,
                path_shape=SitePath,
                body_shape=NewName,
                answer=SiteView,
                run=self._rename_site,
                current=self._read_site,
                reasons=(Reason.NOT_FOUND, *_NAMES),
            ),
        ]

    def _list_institutions(self, call: Call[Nothing, PageQuery, Any]) -> Page[InstitutionView]:
        query = call.query
        found = self._estate.list_institutions(query.text_key, query.limit)
        items = [InstitutionView(*each) for each in found]
        key = found[-1].id.encode() if found else b""
        return Page(items, build_cursor(key, len(found), query.limit))

    def _read_institution(self, call: Call[InstitutionPath, Nothing, Any]) -> InstitutionView:
        return _view_institution(self._estate.read_institution(call.path.institution))

    def _add_institution(self, call: Call[Nothing, Nothing, NewInstitution]) -> InstitutionView:
        new, actor = call.body, call.principal.actor
        return _view_institution(self._estate.add_institution(new.id, new.name, call.at, actor))

    def _rename_institution(self, call: Call[InstitutionPath, Nothing, NewName]) -> InstitutionView:
        id, actor = call.path.institution, call.principal.actor
        return _view_institution(
            self._estate.rename_institution(id, call.body.name, call.at, actor)
        )

    def _list_sites(self, call: Call[Nothing, PageQuery, Any]) -> Page[SiteView]:
        query = call.query
        found = self._estate.list_sites(call.principal.site, query.text_key, query.limit)
        key = found[-1].id.encode() if found else b""
        return Page([SiteView(*each) for each in found], build_cursor(key, len(found), query.limit))

    def _read_site(self, call: Call[SitePath, Nothing, Any]) -> SiteView:
        call.principal.check_site(call.path.site)
        return SiteView(*self._estate.read_site(call.path.site))

    def _add_site(self, call: Call[Nothing, Nothing, NewSite]) -> SiteView:
        site = Site(call.body.id, call.body.institution, call.body.name)
        return SiteView(*self._estate.add_site(site, call.at, call.principal.actor))

    def _rename_site(self, call: Call[SitePath, Nothing, NewName]) -> SiteView:
        id, actor = call.path.site, call.principal.actor
        call.principal.check_site(id)
        return SiteView(*self._estate.rename_site(id, call.body.name, call.at, actor))


def _view_institution(institution: Institution) -> InstitutionView:
    return InstitutionView(*institution)
