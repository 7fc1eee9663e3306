"""Central's first page: boxes live, a stream of scans, one box, cards and persons by search."""
