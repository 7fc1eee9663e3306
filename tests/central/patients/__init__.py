"""Tests of central.patients."""
