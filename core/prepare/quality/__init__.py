"""Quality: cleaning, corrections, duplicates and the contract of a table of sales."""
