"""The parts of the page “My profile”."""
