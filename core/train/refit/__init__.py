"""The last fit of a training run: the chosen model on all known sales, and what is learned beside it."""
