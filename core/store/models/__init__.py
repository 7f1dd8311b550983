"""Models: the registry, market levels and shadow estimates."""
