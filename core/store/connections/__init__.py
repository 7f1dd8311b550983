"""How long a database is waited for: PostgreSQL that hangs, and SQLite while another program holds its lock."""
