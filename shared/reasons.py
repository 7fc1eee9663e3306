"""Every reason the system gives; its words, in Chinese and English, stand in ``shared.words``.

A reason code is stable and may be quoted to support; the words may be improved at will.
One table for verdicts, prints, requests and stored data, so that a screen, a slip and a
command say the same thing.
"""

from enum import StrEnum
from typing import NamedTuple


class Words(NamedTuple):
    """What happened and what to do now, as a person reads it."""

    zh: str
    en: str
    next_zh: str
    next_en: str


class Reason(StrEnum):
    """Codes of reasons; the first word names the thing the reason is about."""

    # a code's text
    CODE_TOO_LONG = "code-too-long"
    CODE_NOT_TEXT = "code-not-text"
    CODE_CONTROL_CHARACTER = "code-control-character"
    CODE_EMPTY = "code-empty"
    CODE_ID_LENGTH = "code-id-length"
    CODE_ID_NOT_HEX = "code-id-not-hex"
    CODE_LOWER_CASE = "code-lower-case"
    CODE_TYPE_MISSING = "code-type-missing"
    CODE_TYPE_UNKNOWN = "code-type-unknown"
    CODE_STATIC_TAIL = "code-static-tail"
    CODE_VALIDITY_MISSING = "code-validity-missing"
    CODE_VALIDITY_MALFORMED = "code-validity-malformed"
    CODE_PAYMENT_MALFORMED = "code-payment-malformed"
    CODE_EXTENSION_MALFORMED = "code-extension-malformed"
    CODE_TOO_MANY_FIELDS = "code-too-many-fields"
    CODE_TEMPORARY_MALFORMED = "code-temporary-malformed"
    # a scanner's bytes
    FRAME_CUT = "frame-cut"
    FRAME_LOST = "frame-lost"
    FRAME_GLUED = "frame-glued"
    SCANNER_CAPS_LOCK = "scanner-caps-lock"
    SCANNER_SHIFT_LOST = "scanner-shift-lost"
    SCANNER_LAYOUT = "scanner-layout"
    SCANNER_LOWER_CASE = "scanner-lower-case"
    SCANNER_TOO_FAST = "scanner-too-fast"
    SCANNER_NOT_SERIAL = "scanner-not-serial"
    SCANNER_SET_UP_REFUSED = "scanner-set-up-refused"
    KEYBOARD_UNKNOWN = "keyboard-unknown"
    # a code's standing
    CODE_UNKNOWN = "code-unknown"
    CODE_FORGED = "code-forged"
    CODE_SPLICED = "code-spliced"
    CODE_EXPIRED = "code-expired"
    CODE_FUTURE = "code-future"
    CODE_USED = "code-used"
    CODE_OTHER_DOMAIN = "code-other-domain"
    CODE_TEMPORARY_UNKNOWN = "code-temporary-unknown"
    CARD_SUSPENDED = "card-suspended"
    CARD_CANCELLED = "card-cancelled"
    # what a box can say alone
    OFFLINE_KNOWN = "offline-known"
    OFFLINE_SIGNED = "offline-signed"
    OFFLINE_UNKNOWN = "offline-unknown"
    # persons and documents
    DOCUMENT_TYPE_UNKNOWN = "document-type-unknown"
    DOCUMENT_NUMBER_MALFORMED = "document-number-malformed"
    DOCUMENT_CHECK_CHARACTER = "document-check-character"
    DOCUMENT_BIRTH_DATE = "document-birth-date"
    DOCUMENT_UNREADABLE = "document-unreadable"
    NAME_EMPTY = "name-empty"
    NAME_TOO_LONG = "name-too-long"
    NAME_CONTROL_CHARACTER = "name-control-character"
    PERSON_MISMATCH = "person-mismatch"
    PERSON_UNKNOWN = "person-unknown"
    RECORD_NUMBER_TAKEN = "record-number-taken"
    # asking central
    LINK_DOWN = "link-down"
    NO_ANSWER = "no-answer"
    ASK_EXPIRED = "ask-expired"
    ISSUE_NEEDS_CENTRAL = "issue-needs-central"
    NOT_FOR_THIS_BOX = "not-for-this-box"
    NOT_ASKED = "not-asked"
    # devices and labels
    DEVICE_ABSENT = "device-absent"
    DEVICE_DENIED = "device-denied"
    DEVICE_RULE_MISSING = "device-rule-missing"
    DEVICE_IN_USE = "device-in-use"
    DEVICE_AMBIGUOUS = "device-ambiguous"
    DEVICE_SILENT = "device-silent"
    DEVICE_FAULTY = "device-faulty"
    DRIVER_MISSING = "driver-missing"
    PRINT_CUT = "print-cut"
    PRINT_NO_PROOF = "print-no-proof"
    PRINT_NOT_CONFIRMED = "print-not-confirmed"
    PRINT_INTERRUPTED = "print-interrupted"
    PRINT_CONDITION = "print-condition"
    PRINTER_GARBLED = "printer-garbled"
    PRINTER_UNKNOWN = "printer-unknown"
    PRINTER_REPRINTS = "printer-reprints"
    PRINT_ANSWER_NEEDED = "print-answer-needed"
    PRINT_NOT_SEEN = "print-not-seen"
    GLYPH_MISSING = "glyph-missing"
    FONT_MISSING = "font-missing"
    # messages and ledger
    MESSAGE_MALFORMED = "message-malformed"
    SCHEMA_UNKNOWN = "schema-unknown"
    SEAL_BROKEN = "seal-broken"
    ENCAPSULATION_MISSING = "encapsulation-missing"
    SIGNATURE_WRONG = "signature-wrong"
    KEY_UNKNOWN = "key-unknown"
    KEY_MALFORMED = "key-malformed"
    SUITE_UNKNOWN = "suite-unknown"
    BODY_TOO_LARGE = "body-too-large"
    LEDGER_GAP = "ledger-gap"
    LEDGER_FORK = "ledger-fork"
    LEDGER_LINK = "ledger-link"
    LEDGER_HASH = "ledger-hash"
    LEDGER_STATE = "ledger-state"
    RECORD_POISON = "record-poison"
    # joining and trust
    INVITE_MALFORMED = "invite-malformed"
    INVITE_USED = "invite-used"
    INVITE_EXPIRED = "invite-expired"
    INVITE_UNKNOWN = "invite-unknown"
    INVITE_WITHDRAWN = "invite-withdrawn"
    INVITE_OTHER_MACHINE = "invite-other-machine"
    CENTRE_NOT_EXPECTED = "centre-not-expected"
    CENTRE_UNREACHABLE = "centre-unreachable"
    CERTIFICATE_REVOKED = "certificate-revoked"
    PROOF_WRONG = "proof-wrong"
    BOX_JOINED = "box-joined"
    QUEUE_UNSENT = "queue-unsent"
    CLOCK_WRONG = "clock-wrong"
    KEY_SEALED = "key-sealed"
    # what a check finds
    SECRETS_BARE = "secrets-bare"
    CLOCK_NOT_MEASURED = "clock-not-measured"
    BROKER_NAME_UNKNOWN = "broker-name-unknown"
    BROKER_PORT_CLOSED = "broker-port-closed"
    BROKER_NOT_TRUSTED = "broker-not-trusted"
    CERTIFICATE_ENDS = "certificate-ends"
    CERTIFICATE_EXPIRED = "certificate-expired"
    DISK_TIGHT = "disk-tight"
    DISK_FULL = "disk-full"
    DEVICE_NOT_CONFIGURED = "device-not-configured"
    RECORDS_WAIT = "records-wait"
    # users and requests at central
    SIGN_IN_WRONG = "sign-in-wrong"
    PIN_WRONG = "pin-wrong"
    BADGE_UNKNOWN = "badge-unknown"
    SIGN_IN_LOCKED = "sign-in-locked"
    SIGN_IN_CODE_NEEDED = "sign-in-code-needed"
    PASSWORDS_DIFFER = "passwords-differ"
    PASSWORD_WEAK = "password-weak"  # noqa: S105 - a code
    PIN_WEAK = "pin-weak"
    ROLE_SITE = "role-site"
    TOKEN_SCOPE = "token-scope"  # noqa: S105 - a code
    SIGN_IN_NEEDED = "sign-in-needed"
    SESSION_ENDED = "session-ended"
    PERMISSION_MISSING = "permission-missing"
    AUDIT_UNAVAILABLE = "audit-unavailable"
    TOO_MANY_REQUESTS = "too-many-requests"
    REQUEST_SLOW = "request-slow"
    CHANGED_MEANWHILE = "changed-meanwhile"
    IDEMPOTENCY_KEY_USED = "idempotency-key-used"
    UNEXPECTED = "unexpected"
    # the patient's one-time link
    LINK_UNKNOWN = "link-unknown"
    LINK_USED = "link-used"
    LINK_EXPIRED = "link-expired"
    LINK_ENDED = "link-ended"
    # workstations that are paired with a box
    PAIRING_CLOSED = "pairing-closed"
    PAIRING_CODE_WRONG = "pairing-code-wrong"
    WORKSTATION_NOT_PAIRED = "workstation-not-paired"
    WORKSTATIONS_FULL = "workstations-full"
    BOX_UNREACHABLE = "box-unreachable"
    BOX_CHANGED = "box-changed"
    TYPING_IMPOSSIBLE = "typing-impossible"
    # stores, keys, configuration, requests
    ID_MALFORMED = "id-malformed"
    ID_RESERVED = "id-reserved"
    CONFIG_MALFORMED = "config-malformed"
    CONFIG_MISSING = "config-missing"
    SETTING_UNKNOWN = "setting-unknown"
    SETTING_IMPOSSIBLE = "setting-impossible"
    SETTINGS_OLDER = "settings-older"
    STORE_UNAVAILABLE = "store-unavailable"
    STORE_DAMAGED = "store-damaged"
    STORE_NEWER = "store-newer"
    KEYS_LOCKED = "keys-locked"
    KEYS_SELF_TEST = "keys-self-test"
    ALREADY_EXISTS = "already-exists"
    NOT_FOUND = "not-found"
    REQUEST_MALFORMED = "request-malformed"
    REQUEST_NOT_ALLOWED = "request-not-allowed"
    PAGE_LINK_NEEDED = "page-link-needed"
    OPERATOR_NEEDED = "operator-needed"
    NOT_ADMITTED = "not-admitted"
    BROKER_UNAVAILABLE = "broker-unavailable"
    PORT_BUSY = "port-busy"
    AGENT_NOT_RUNNING = "agent-not-running"
    STATE_STEP = "state-step"

    @property
    def words(self) -> Words:
        """What happened and what to do, in both languages."""
        from shared.words import WORDS  # that table needs this enum to exist first

        return WORDS[self]
