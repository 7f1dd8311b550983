"""Parts of the page Monitoring."""
