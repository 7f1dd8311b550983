"""Opens a market for pricing: its live model with all known sales, worked out once for all processes of a server."""
