"""Devices: scanners and label printers, each an implementation of a port in agent.ports."""
