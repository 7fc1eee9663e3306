"""The keys of central, and the only place that derives, seals or opens with them."""
