"""Tests of central.hospital."""
