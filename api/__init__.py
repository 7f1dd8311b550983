"""The REST API beside the dashboard: its routes, and the headers of every response."""
