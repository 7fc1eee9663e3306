"""How long this box may work alone: what is consumed of its lease, and what time it is."""
