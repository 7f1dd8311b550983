"""Profiles of agents and offices, with their pictures, and what sellers are shown."""
