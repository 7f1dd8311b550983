"""How PostgreSQL is reached: with a time limit, and not at all for a while after it hung."""
