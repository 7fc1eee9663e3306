"""Everything of central's web that a person looks at, put beside the API."""

from pathlib import Path

from central.users.desk import Desk
from central.web.app import Site
from central.web.console.routes import Console
from central.web.console.words import REVOKE_REASONS
from central.web.pages import Pages
from central.web.patient.routes import PatientPage

STATIC = Path(__file__).parent / "static"


def add_pages(site: Site) -> None:
    """The console, the patient's page, and the files both load."""
    pages, central = Pages(revoke_reasons=REVOKE_REASONS), site.central
    desk = Desk(central.users, central.keys, central.audit, site.writer, site.clock)
    site.routes.add_static("/static", STATIC)
    Console(site, pages, desk).add_routes()
    PatientPage(site, pages).add_routes()
