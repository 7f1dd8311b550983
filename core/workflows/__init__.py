"""The use cases that span phases, in modules named by subject."""
