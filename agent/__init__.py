"""The agent on a counter's or kiosk's box: scan, judge, print, keep, report."""
