"""A long run of three boxes under random faults, judged by an independent witness."""
