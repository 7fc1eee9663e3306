"""A box joins by an invite, or ends in one clear refusal with nothing kept."""

import ssl
import stat

from agent.config import BoxFiles, PrinterConfig, ScannerConfig, read_box_config
from agent.enrolment.drafts import Joined
from agent.enrolment.found import Machine
from agent.enrolment.joining import Joining
from shared.clock import SystemClock
from shared.config import read_secret
from tests.agent.enrolment.peer import BOX, HOST, Peer

MACHINE = Machine(ScannerConfig("serial", "/dev/ttyACM0"), PrinterConfig("usb", "0a5f:0081"))


def join(files: BoxFiles, peer: Peer, text: str = "", serial: str = "SN-1") -> Joined:
    """Use an invite, the peer's own unless another is given."""
    return Joining(files, serial, SystemClock(), MACHINE).join(text or peer.invite())


def test_a_box_joins(files: BoxFiles, peer: Peer) -> None:
    """Every file is where the agent looks, private, and holds what central answered."""
    joined = join(files, peer)
    config = read_box_config(files)
    assert (joined.box, config.box) == (BOX, BOX)
    assert (config.counter, config.site_name) == ("挂号 1", "虚构市人民医院")
    assert config.scanner == MACHINE.scanner
    assert config.printer == MACHINE.printer
    assert config.central is not None
    assert (config.central.host, config.central.port) == (HOST, peer.port)
    assert config.announcements == peer.announcements.public_bytes.hex()
    assert peer.pair_keys == [read_secret(files.pair_key)]
    assert files.ca.read_text() == peer.authority.pem
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.certificate)
    for path in files.directory.iterdir():
        private = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == private, path
    assert [path.name for path in files.enrolment.iterdir()] == ["joined"]
