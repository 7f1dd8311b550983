"""Parts of the page Sales data."""
