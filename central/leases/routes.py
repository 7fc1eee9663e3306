"""The API's operations on how long the boxes of a site may work alone."""

from typing import Any

from central.leases.service import Leases
from central.users.roles import Permission
from central.web.fields import SitePath
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.lease import LeasePolicy
from shared.reasons import Reason


class LeaseRoutes:
    """The terms over HTTP; a PUT replaces all of them."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def operations(self) -> list[AnyOperation]:
        """What can be done with leases."""
        return [
            Operation(
                id="readSiteLease",
                method="GET",
                path="/sites/{site}/lease",
                tag="settings",
                summary_zh="院区盒子的离线期限",
                summary_en="How long the boxes of a site may work alone",
                permission=Permission.BOXES_READ,
                work=Work.POINT,
                path_shape=SitePath,
                answer=LeasePolicy,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="setSiteLease",
                method="PUT",
                path="/sites/{site}/lease",
                tag="settings",
                summary_zh="更改院区盒子的离线期限",
                summary_en="Replace how long the boxes of a site may work alone",
                permission=Permission.BOXES_WRITE,
                work=Work.WRITE,
                path_shape=SitePath,
                body_shape=LeasePolicy,
                answer=LeasePolicy,
                run=self._set,
                current=self._read,
                reasons=(Reason.NOT_FOUND, Reason.SETTING_IMPOSSIBLE),
            ),
        ]

    def _read(self, call: Call[SitePath, Nothing, Any]) -> LeasePolicy:
        call.principal.check_site(call.path.site)
        return self._leases.read_policy(call.path.site)

    def _set(self, call: Call[SitePath, Nothing, LeasePolicy]) -> LeasePolicy:
        call.principal.check_site(call.path.site)
        self._leases.set_policy(call.path.site, call.body, call.at, call.principal.actor)
        return self._leases.read_policy(call.path.site)
