"""Tests of central.scans."""
