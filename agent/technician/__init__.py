"""What a technician does at a box with a device in hand, while the agent does not hold it."""
