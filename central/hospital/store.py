"""Every statement on site patients, record numbers and their sequences. Decides nothing."""

from uuid import UUID

from central.hospital.model import RecordNumberRow, SequenceRow, SitePatientRow


def find_active(person: UUID, site: str) -> str | None:
    """The person's active patient id at a site."""
    row = SitePatientRow.execute(
        "SELECT patient_id FROM site_patient WHERE site = ? AND person_id = ? AND active",
        (site, person.bytes),
    ).fetchone()
    return str(row[0]) if row else None


def find_person(patient_id: str, site: str) -> UUID | None:
    """Whom a site means, or meant, by a patient id."""
    row = SitePatientRow.execute(
        "SELECT person_id FROM site_patient WHERE site = ? AND patient_id = ?", (site, patient_id)
    ).fetchone()
    return UUID(bytes=row[0]) if row else None


def list_sites(person: UUID) -> list[str]:
    """The sites where the person has an active patient id."""
    rows = SitePatientRow.execute(
        "SELECT site FROM site_patient WHERE person_id = ? AND active ORDER BY site",
        (person.bytes,),
    ).fetchall()
    return [site for (site,) in rows]


def list_numbers(patient_id: str, site: str) -> list[tuple[str, str]]:
    """Type and number of each record number under a patient id, oldest first."""
    return RecordNumberRow.execute(
        "SELECT type, number FROM record_number WHERE site = ? AND patient_id = ?"
        " ORDER BY since_at, number",
        (site, patient_id),
    ).fetchall()


def find_number_owner(type: str, number: str, site: str) -> str | None:
    """The patient id a record number belongs to."""
    row = RecordNumberRow.execute(
        "SELECT patient_id FROM record_number WHERE site = ? AND type = ? AND number = ?",
        (site, type, number),
    ).fetchone()
    return str(row[0]) if row else None


def insert_patient(patient_id: str, site: str, person: UUID, at: int) -> None:
    """Raises IntegrityError when the id is taken or the person has an active one."""
    SitePatientRow.execute(
        "INSERT INTO site_patient (site, patient_id, person_id, active, since_at)"
        " VALUES (?, ?, ?, 1, ?)",
        (site, patient_id, person.bytes, at),
    )


def insert_number(type: str, number: str, site: str, patient_id: str, at: int) -> None:
    """Raises IntegrityError when the number is taken or the patient id does not exist."""
    RecordNumberRow.execute(
        "INSERT INTO record_number (site, type, number, patient_id, since_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (site, type, number, patient_id, at),
    )


def take_next(kind: str, site: str) -> int:
    """The next number of a kind at a site; given back if the unit of work is undone."""
    row = SequenceRow.execute(
        "INSERT INTO site_sequence (site, kind, last) VALUES (?, ?, 1)"
        " ON CONFLICT (site, kind) DO UPDATE SET last = last + 1 RETURNING last",
        (site, kind),
    ).fetchone()
    return int(row[0])
