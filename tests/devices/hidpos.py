"""A HID-POS scanner's reports, as a Newland FM420 sends them (hardware.md)."""

REPORT_ID, REPORT_BYTES, DATA_BYTES, DATA_AT = 2, 64, 56, 2
QR_CODE = 0x51  # whatever stands there: the driver does not look


def build_reports(data: bytes) -> list[bytes]:
    """One scan: 64 bytes a report, the last one says that nothing follows."""
    parts = [data[at : at + DATA_BYTES] for at in range(0, len(data), DATA_BYTES)] or [b""]
    reports = []
    for number, part in enumerate(parts):
        body = part.ljust(REPORT_BYTES - DATA_AT - 2, b"\0")
        continued = number < len(parts) - 1
        reports.append(bytes([REPORT_ID, len(part)]) + body + bytes([QR_CODE, continued]))
    return reports
