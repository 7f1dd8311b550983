"""The parts of each page, a folder per page."""
