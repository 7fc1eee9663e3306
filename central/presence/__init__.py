"""What boxes say of themselves: whether they are there, their account, devices and settings."""
