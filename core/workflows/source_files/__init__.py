"""Files to take in: read, mapped, and refused with a reason."""
