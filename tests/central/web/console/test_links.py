"""The link that a clerk gives out: for whom, and for nobody of another site."""

from pathlib import Path

import pytest

from central.users.principal import SignedIn
from central.users.roles import Role
from tests.central.people import SAMPLE
from tests.central.users.served import SITES, Served, serve


@pytest.mark.parametrize(("site", "status"), [(SITES[0], 200), (SITES[1], 404)])
async def test_a_clerk_gives_links_to_their_own_sites_people(
    tmp_path: Path, site: str, status: int
) -> None:
    """Another site's card is not there, and nothing is made or written down."""
    async with serve(tmp_path) as served:
        central, at = served.central, served.clock.now()

        def enrol() -> str:
            person, _ = central.patients.register(SAMPLE, at, "test")
            central.hospital.admit(person.id, SITES[0], at)
            return str(central.cards.open_account(person, at, "test").id)

        card = await served.writer.run(enrol)
        signed_in = await served.sign_in(await served.add("clerk", Role.CLERK, site))
        assert await ask(served, signed_in, card) == status
        made = central.database.execute("SELECT count(*) FROM patient_link").fetchone()[0]
        assert made == (status == 200)


async def ask(served: Served, signed_in: SignedIn, card: str) -> int:
    """The button."""
    headers = {"X-CSRF-Token": signed_in.session.csrf, "Origin": served.url}
    async with (
        served.browser(signed_in) as browser,
        browser.post(f"/console/cards/{card}/link", headers=headers) as answer,
    ):
        assert "no-store" in answer.headers["Cache-Control"]
        return answer.status
