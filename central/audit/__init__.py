"""The audit: what was done, by whom, to what, when; nobody can thin it out unseen."""
