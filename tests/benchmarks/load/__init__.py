"""Doorstep under load: fifty agents by the API, and fifty browser sessions."""
