"""The modeling package: every phase of a house-price model's life, with no user interface."""
