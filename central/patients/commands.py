"""``onecode-central person``: register, look up, rename. What is printed is masked.

What identifies a person comes as JSON on standard input, never as an argument.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from shared.exits import Exit

if TYPE_CHECKING:
    from central.app import Central
    from central.patients.person import PersonId


def add_commands(subparsers: Any) -> None:
    """Add ``person``."""
    person = subparsers.add_parser("person", help="residents").add_subparsers(required=True)
    add = person.add_parser(
        "add",
        help="register a resident and open their card, or find them; JSON on standard input: "
        "document_type, document_number, name, and if known sex and phone",
    )
    add.set_defaults(run=_add)
    show = person.add_parser("show", help="a resident, masked, with every site's numbers")
    show.set_defaults(run=_show)
    rename = person.add_parser(
        "rename", help="record a change of name; JSON on standard input: name"
    )
    rename.set_defaults(run=_rename)
    document = person.add_parser(
        "add-document",
        help="give a resident one more document; JSON on standard input: "
        "document_type, document_number",
    )
    document.set_defaults(run=_add_document)
    for command in (show, rename, document):
        command.add_argument("person", metavar="PERSON", help="the person's id, or SITE:PATIENT-ID")
    for command in (add, show, rename, document):
        command.add_argument("--json", action="store_true", help="for machines")


def _add(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.patients.person import Registration
    from central.patients.requests import AddPerson, parse_request
    from shared.clock import SystemClock

    request = parse_request(sys.stdin.buffer.read(), AddPerson)
    registration = Registration(
        request.document_type, request.document_number, request.name, request.sex, request.phone
    )
    at, actor = SystemClock().now(), command_actor()
    with open_central(arguments.dir) as central:
        with central.unit():
            person, found = central.patients.register(registration, at, actor)
            central.cards.open_account(person, at, actor)
        _print(central, person.id, found=found, as_json=arguments.json)
    return Exit.HELD


def _show(arguments: argparse.Namespace) -> int:
    from central.app import open_central

    with open_central(arguments.dir) as central:
        person = _find(central, arguments.person)
        _print(central, person, found=True, as_json=arguments.json)
    return Exit.HELD


def _rename(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.patients.requests import RenamePerson, parse_request
    from shared.clock import SystemClock

    request = parse_request(sys.stdin.buffer.read(), RenamePerson)
    at, actor = SystemClock().now(), command_actor()
    with open_central(arguments.dir) as central:
        with central.unit():
            id = _find(central, arguments.person)
            person = central.patients.rename(id, request.name, at, actor)
            central.cards.renew_ehc_id(person, at)
        _print(central, id, found=True, as_json=arguments.json)
    return Exit.HELD


def _add_document(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.patients.requests import AddDocument, parse_request
    from shared.clock import SystemClock

    request = parse_request(sys.stdin.buffer.read(), AddDocument)
    with open_central(arguments.dir) as central:
        with central.unit():
            id = _find(central, arguments.person)
            central.patients.add_document(
                id,
                request.document_type,
                request.document_number,
                SystemClock().now(),
                command_actor(),
            )
        _print(central, id, found=True, as_json=arguments.json)
    return Exit.HELD


def _find(central: "Central", text: str) -> "PersonId":
    """The person an argument names. Raises Malformed, Refused (NOT_FOUND)."""
    from central.patients.person import parse_person_id

    site, colon, patient_id = text.partition(":")
    if colon:
        return central.hospital.find_person(patient_id, site)
    return parse_person_id(text)


def _print(central: "Central", id: "PersonId", *, found: bool, as_json: bool) -> None:
    from central.tables import Row, print_record
    from shared.residents import mask_document, mask_name

    person = central.patients.read(id)
    card = central.cards.read_of(id)
    row: Row = {
        "person": str(id),
        "found": found,
        "name": mask_name(person.name),
        "documents": " ".join(
            f"{each.type}:{mask_document(each.number)}" for each in person.documents
        ),
        "sex": person.sex,
        "names": len(central.patients.list_names(id)),
        "card": str(card.id),
        "state": str(card.state),
        "sites": " ".join(
            f"{patient.site}:{patient.patient_id}" for patient in central.hospital.list_sites(id)
        ),
    }
    print_record(row, as_json=as_json)
