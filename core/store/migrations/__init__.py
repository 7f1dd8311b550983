"""The schema's history, one alembic revision a file."""
