"""Peers that stand where a device would, below the library that speaks to it."""
