"""Use cases of pricing: the desk, its answers, files of homes and decisions."""
