"""One giant file is cut into pieces that fit into memory, and the pieces are taken in."""
