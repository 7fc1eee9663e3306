"""The keyboard wedge: a workstation's own program that types what a paired box hands over."""
