"""Tests of central.cards."""
