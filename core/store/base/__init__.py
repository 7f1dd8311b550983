"""What every table shares: database, migrations, audit trail, artifacts and markets."""
