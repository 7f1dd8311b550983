"""Files as analysts have them become tables of text, and what was read of each is recorded."""
