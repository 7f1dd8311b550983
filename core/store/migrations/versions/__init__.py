"""The revisions; each is frozen once released."""
