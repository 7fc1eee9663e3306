"""Central's HTTP server: the API, and whatever pages stand beside it."""
