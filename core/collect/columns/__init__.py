"""Guesses the columns of an unknown file: fields, units, extra facts and what to leave out."""
