"""Records carried by hand, where there is no network: out as a sealed file, receipts back in."""
