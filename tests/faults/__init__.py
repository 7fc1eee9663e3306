"""Faults that must lose, double or confuse nothing: each test ends by asking the oracle."""
