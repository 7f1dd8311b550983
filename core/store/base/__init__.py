"""What all tables share: the database, migrations, the audit trail, artifacts and markets."""
