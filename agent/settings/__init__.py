"""What central wants of this box, and what the box says of itself."""
