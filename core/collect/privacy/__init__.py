"""Persons kept out of files: what names, reaches or betrays one is found, dropped or cut out before it reaches disk."""
