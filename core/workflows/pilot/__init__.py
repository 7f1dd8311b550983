"""The pilot: which offices have estimates, what agents say about them, and what came of it."""
