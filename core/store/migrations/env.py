"""Runs alembic's migrations on the store's connection, inside its transaction."""

from __future__ import annotations

from alembic import context

from core.store.base.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=False,  # the caller's transaction holds the lock and commits all or nothing
    render_as_batch=True,
)
context.run_migrations()
