"""The REST API next to the dashboard: its routes, and the headers of every response."""
