"""The demonstration: the main job on embedded parts, by the shipped commands only."""
