"""What a technician asks of a box: small looks, each with a stable name, a cause and a cure."""
