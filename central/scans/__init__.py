"""What boxes ask and report: scans, registrations, labels; central's verdict on each, once."""
