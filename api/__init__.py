"""The REST API next to the dashboard: its routes, and the headers of every response."""

from typing import Final

PREFIX: Final = "/api/v1"
"""The path of the API on its server."""
