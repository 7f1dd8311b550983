"""The command line: a module per group of verbs."""
