"""Doorstep beside other learners on the same rows and facts, all with the same market level."""
