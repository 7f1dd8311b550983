"""A file too large for memory is read block by block, and each of its rows finds its piece."""
