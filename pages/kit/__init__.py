"""Shared parts that every page may use."""
