"""Central's lists at the box: code keys, revoked cards, persons of the site, sealed in a file."""
