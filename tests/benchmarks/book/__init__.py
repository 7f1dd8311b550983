"""The benchmark book: measurements of every part by number of sales, beside baselines of the same run."""
