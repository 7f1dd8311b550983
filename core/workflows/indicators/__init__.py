"""Dated indicators of a market: as files bring them, and how they moved since a model was trained."""
