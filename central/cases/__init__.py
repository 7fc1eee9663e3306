"""Cases: what two boxes, or a box and central, say differently, for a person to decide."""
