"""The box's local HTTP API on loopback: for the counter page, the command line and the demo."""
