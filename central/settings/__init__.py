"""What is wanted of boxes, by site and by box: composed, signed and announced."""
