"""The centre: keys, persons, cards, hospital links, and the ledger of what boxes report."""
