"""The modeling package: every phase of a house-price model's life, without a user interface."""
