"""What single boxes are told beyond receipts, replies and settings; repeated until they have it."""
