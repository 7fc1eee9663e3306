"""Joining and renewing, against a small centre of the tests' own over real TLS."""
