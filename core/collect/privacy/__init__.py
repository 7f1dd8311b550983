"""Persons kept out of files: whatever identifies or can contact one is found and removed before it reaches disk."""
