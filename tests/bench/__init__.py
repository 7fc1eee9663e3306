"""Measurements: ratios in one run, on a real disk. Need only what the box has installed."""
