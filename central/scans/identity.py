"""What a counter is told about a person: masked here, before anything leaves central. Pure."""

from central.hospital.service import SitePatient
from central.patients.person import Person
from shared.messages import Identity
from shared.residents import mask_document, mask_name


def build_identity(person: Person, patient: SitePatient | None) -> Identity:
    """The masked person with the asking site's numbers; none for who was never admitted there."""
    return Identity(
        name=mask_name(person.name),
        document=mask_document(person.document.number),
        sex=person.sex,
        birth_date=person.birth_date.isoformat() if person.birth_date else "",
        patient_id=patient.patient_id if patient else "",
        record_numbers=patient.record_numbers if patient else (),
    )
