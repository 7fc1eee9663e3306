"""How a box joins, stays trusted, and waits to join: its side of `shared.joining`."""
