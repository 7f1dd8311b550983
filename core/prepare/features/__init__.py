"""Features: facts of a home turned into the columns a model learns from."""
