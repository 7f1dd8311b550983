"""How the dates of a column are written: in which formats, found from all of its cells, and how they are read."""
