"""Hand-over at the counter: paired workstations on the local network, and what they are given."""
