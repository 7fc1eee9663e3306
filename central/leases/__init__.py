"""How long boxes may work alone: the policy of each site, and the leases that were granted."""
