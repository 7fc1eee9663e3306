"""What a box keeps to answer alone: sealed to the box, short-lived, and never a record."""
