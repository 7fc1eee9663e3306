"""The fleet: institutions, sites, counters, boxes, their keys and certificates, the broker."""
