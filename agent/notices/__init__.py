"""What central told this box, and what happened while it was away."""
