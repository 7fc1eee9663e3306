"""A box's configuration: one directory with ``box.toml`` and the secrets beside it.

``onecode-agent enrol`` writes it; ``onecode-central box add`` does where there is no network
between the two. Nothing here touches records.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shared.config import read_config
from shared.ids import BoxId, parse_box_id
from shared.messages import MedicalStep

PublicKey = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$")]
"""32 bytes in hex, X25519 or Ed25519."""
KeyNumber = Annotated[str, msgspec.Meta(pattern="^(0|[1-9][0-9]{0,2})$")]
"""A code-signing key's number: one byte (CONTRACTS §5), as a key of TOML."""
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
"""What the ledger keeps in four bytes."""
Milliseconds = Annotated[int, msgspec.Meta(ge=1)]
Affix = Annotated[str, msgspec.Meta(pattern="^[ -~]{0,16}$")]
"""What a scanner sends around each code: visible ASCII, for control characters end a frame."""
Ancestor = Annotated[str, msgspec.Meta(pattern=r"^https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?$")]
"""An origin that may show the page in a frame."""


LabelName = Literal["50x30", "51x25", "25x279"]
"""Media, in millimetres; ``agent.drivers.templates`` has a layout for each."""
DEFAULT_LABEL: LabelName = "50x30"
"""The labels in a printer of which nobody said otherwise."""


class BrokerAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker's listener for boxes is; ``host`` must match its certificate."""

    host: str
    port: Port


class CentralAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where central's listener for boxes is; ``host`` must match its certificate."""

    host: str
    port: Port


class ScannerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which scanner to use: ``auto`` (all that are plugged in), ``serial`` (pyserial path),
    ``hid`` (evdev path), ``hid-pos`` (hidraw path) or ``none``."""

    kind: str = "none"
    path: str = ""
    gap_ms: Milliseconds = 80  # silence that ends a half frame (hardware.md)
    prefix: Affix = ""  # what the scanner is set up to send before each code, taken off
    suffix: Affix = ""  # and behind it, before the terminator


class PrinterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which printer to use: ``auto`` (the Zebra that is plugged in), ``usb``
    (vendor:product), ``simulated`` (a folder) or ``none``."""

    kind: str = "none"
    path: str = ""


class DocumentReaderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which reader of identity cards to use: ``sam-v`` (pyserial path) or ``none``."""

    kind: str = "none"
    path: str = ""


Rows = Annotated[int, msgspec.Meta(ge=10, le=100_000_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class QueueConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may wait for central before something is given up: in all, and of each lane; a
    row takes some 700 bytes. Identity and print records are never given up: theirs is where
    staff are warned."""

    rows: Rows = 1_000_000
    identity_rows: Rows = 800_000
    print_rows: Rows = 400_000
    use_rows: Rows = 600_000
    use_days: Days = 400
    telemetry_rows: Rows = 100_000
    telemetry_days: Days = 30


class LanConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where paired workstations reach the box; nothing listens there until one is paired."""

    host: str = "0.0.0.0"  # noqa: S104 - every network of the box, for paired workstations only
    port: Port = 8701  # 0: any free one


class BoxConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a box is told. Paths are relative to the directory of ``box.toml``."""

    box: str  # <site>/<box>
    counter: str
    site_name: str  # the hospital's name, as printed on labels
    broker: BrokerAddress
    central_public: PublicKey  # record bodies are sealed to it
    code_keys: dict[KeyNumber, PublicKey]  # what signs dynamic codes
    announcements: PublicKey | None = None  # what signs configuration, lists and central's time
    central: CentralAddress | None = None  # where certificates are renewed
    signing_key_id: Number = 1
    epoch: Number = 1
    number: Number = 0  # the box's own in its temporary codes; 0: not told yet
    api_port: Port = 8700  # 0: any free one
    frame_ancestors: tuple[Ancestor, ...] = ()  # who may show the page in a frame
    ask_deadline_ms: Milliseconds = 800
    register_deadline_ms: Milliseconds = 5000
    again_seconds: Annotated[int, msgspec.Meta(ge=0)] = 10
    medical_step: MedicalStep = MedicalStep.OTHER  # what this counter does for patients
    label: LabelName = DEFAULT_LABEL
    font: str = ""  # a font file; empty: the system's CJK font
    scanner: ScannerConfig = ScannerConfig()
    printer: PrinterConfig = PrinterConfig()
    document_reader: DocumentReaderConfig = DocumentReaderConfig()
    lan: LanConfig = LanConfig()
    queue: QueueConfig = QueueConfig()

    @property
    def box_id(self) -> BoxId:
        """The parsed name. Raises Malformed."""
        return parse_box_id(self.box)


class BoxFiles:
    """Where a box keeps its things, below its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "box.toml"
        self.ca = directory / "ca.pem"
        self.certificate = directory / "box.pem"  # the certificate, then its key: one rename
        self.signing_key = directory / "signing.key"  # 32 raw bytes, Ed25519
        self.pair_key = directory / "pair.key"  # 32 raw bytes
        self.cache_key = directory / "cache.key"  # 32 raw bytes, made at first start
        self.api_token = directory / "api.token"  # text, made at first start
        self.lan_identity = directory / "lan.pem"  # the LAN listener's own certificate and key
        self.wrong_pins = directory / "wrong-pins.json"  # in a row, by operator
        self.workstations = directory / "workstations.json"  # who is paired, tokens as hashes
        self.queue = directory / "queue.db"
        self.cache = directory / "cache.db"
        self.labels = directory / "labels.db"  # today's, sealed with the cache's key
        self.lease = directory / "lease"  # what is consumed of the offline lease, sealed
        self.notices = directory / "notices.db"  # what central told, sealed with the cache's key
        self.lists = directory / "lists.db"  # central's, sealed with the cache's key
        self.desired = directory / "desired"  # the first configuration, as central signed it
        self.enrolment = directory / "enrolment"  # drafts of joining and renewing


def read_box_config(files: BoxFiles) -> BoxConfig:
    """Read and check ``box.toml``. Raises Unavailable or Malformed."""
    config = read_config(files.config, BoxConfig)
    _ = config.box_id
    return config
