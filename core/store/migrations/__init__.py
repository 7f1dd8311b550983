"""The schema's history, one alembic revision per file."""
