"""What the columns of files are called: display names of a market's own, and templates of the sources."""
