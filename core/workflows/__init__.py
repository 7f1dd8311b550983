"""The use cases that span phases, each in the module named after what it works on."""
