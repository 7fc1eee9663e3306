"""What boxes may need to judge alone, signed: code keys, revoked cards, persons of their site."""
