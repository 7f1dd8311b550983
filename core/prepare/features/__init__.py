"""Features: the columns a model is trained on, built from the facts of homes."""
