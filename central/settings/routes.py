"""The API's operations on what is wanted of boxes: by site, and by box where one differs."""

from typing import Any

from central.settings.service import Settings
from central.users.roles import Permission
from central.web.fields import BoxPath, SitePath
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.desired import BoxSettings
from shared.reasons import Reason


class SettingRoutes:
    """Settings over HTTP; a PUT replaces all that was set before."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def operations(self) -> list[AnyOperation]:
        """What can be done with settings."""
        return [
            Operation(
                id="readSiteSettings",
                method="GET",
                path="/sites/{site}/settings",
                tag="settings",
                summary_zh="院区的设置",
                summary_en="What is set for a site",
                permission=Permission.BOXES_READ,
                work=Work.POINT,
                path_shape=SitePath,
                answer=BoxSettings,
                run=self._read_site,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="setSiteSettings",
                method="PUT",
                path="/sites/{site}/settings",
                tag="settings",
                summary_zh="更改院区的设置",
                summary_en="Replace what is set for a site",
                permission=Permission.BOXES_WRITE,
                work=Work.WRITE,
                path_shape=SitePath,
                body_shape=BoxSettings,
                answer=BoxSettings,
                run=self._set_site,
                current=self._read_site,
                reasons=(Reason.NOT_FOUND, Reason.SETTING_IMPOSSIBLE),
            ),
            Operation(
                id="readBoxSettings",
                method="GET",
                path="/boxes/{site}/{box}/settings",
                tag="settings",
                summary_zh="一个盒子自己的设置",
                summary_en="What is set for a box alone",
                permission=Permission.BOXES_READ,
                work=Work.POINT,
                path_shape=BoxPath,
                answer=BoxSettings,
                run=self._read_box,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND),
            ),
            Operation(
                id="setBoxSettings",
                method="PUT",
                path="/boxes/{site}/{box}/settings",
                tag="settings",
                summary_zh="更改一个盒子的设置",
                summary_en="Replace what is set for a box alone",
                permission=Permission.BOXES_WRITE,
                work=Work.WRITE,
                path_shape=BoxPath,
                body_shape=BoxSettings,
                answer=BoxSettings,
                run=self._set_box,
                current=self._read_box,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND, Reason.SETTING_IMPOSSIBLE),
            ),
        ]

    def _read_site(self, call: Call[SitePath, Nothing, Any]) -> BoxSettings:
        call.principal.check_site(call.path.site)
        return self._settings.read_site(call.path.site)

    def _set_site(self, call: Call[SitePath, Nothing, BoxSettings]) -> BoxSettings:
        call.principal.check_site(call.path.site)
        self._settings.set_site(call.path.site, call.body, call.at, call.principal.actor)
        return self._settings.read_site(call.path.site)

    def _read_box(self, call: Call[BoxPath, Nothing, Any]) -> BoxSettings:
        call.principal.check_site(call.path.site)
        return self._settings.read_box(call.path.id)

    def _set_box(self, call: Call[BoxPath, Nothing, BoxSettings]) -> BoxSettings:
        call.principal.check_site(call.path.site)
        self._settings.set_box(call.path.id, call.body, call.at, call.principal.actor)
        return self._settings.read_box(call.path.id)
