"""A founded centre with what answers boxes, for the tests of joining and leaving."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from central.app import Central, open_central
from central.config import BrokerConfig, WebConfig
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.doors import read_door
from central.fleet.invites import IssuedInvite
from central.fleet.joining import Joins, Reception
from central.fleet.renewal import Renewals
from central.foundation import Foundation, found_central
from shared.ids import BoxId
from shared.joining import JoinAnswer, JoinRequest, RenewAnswer, RenewRequest
from tests.broker import free_ports
from tests.central.fleet.machine import Machine
from tests.central.people import AT, CLERK

BOX = BoxId("renmin", "box1")
SITE_NAME = "虚构市人民医院"


@dataclass
class House:
    """Every act in a unit of its own, as the listener and the commands do it."""

    central: Central
    joins: Joins = field(init=False)
    renewals: Renewals = field(init=False)

    def __post_init__(self) -> None:
        central = self.central
        authority = read_authority(central.files.box_ca, central.files.box_ca_key)
        reception, broker = Reception(central.fleet, authority), central.config.broker
        self.joins = Joins(reception, central.keys, central.audit, broker, central.settings)
        self.renewals = Renewals(central.fleet, authority, central.audit)

    def invite(
        self,
        id: BoxId = BOX,
        counter: str = "挂号 1",
        at: datetime = AT,
        hours: int = 24,
        **more: str,
    ) -> IssuedInvite:
        """An invite for a place."""
        place = Place(id, counter, SITE_NAME, **more)
        door = read_door(self.central.files, self.central.config)
        with self.central.database.unit():
            return self.central.fleet.invites.issue(place, door, at, CLERK, hours=hours)

    def machine(self, serial: str = "SN-1") -> Machine:
        """A machine that has asked who central is."""
        return Machine(self.joins.centre().central_public, serial)

    def join(self, request: JoinRequest, at: datetime = AT) -> JoinAnswer:
        """What the listener answers."""
        with self.central.database.unit():
            return self.joins.join(request, at)

    def renew(self, request: RenewRequest, at: datetime = AT) -> RenewAnswer:
        """What the listener answers."""
        with self.central.database.unit():
            return self.renewals.renew(request, at)

    def acts(self) -> list[str]:
        """What the audit says was done, in order."""
        cursor = self.central.database.execute("SELECT act FROM audit_row ORDER BY seq")
        return [row[0] for row in cursor]


@contextmanager
def open_house(directory: Path, at: datetime = AT) -> Iterator[House]:
    """A centre founded at ``at``, with ports of its own."""
    box_port, central_port, join_port = free_ports(3)
    broker = BrokerConfig("localhost", box_port, central_port)
    foundation = Foundation(broker, web=WebConfig(port=0, box_port=join_port))
    found_central(directory, foundation, at, CLERK)
    with open_central(directory) as central:
        yield House(central)
