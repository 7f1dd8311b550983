"""Guesses the columns of an unknown file (fields, units, extra facts, what to leave out) and takes corrections."""
