"""Use cases of sales data: intake, corrections, versions and outcomes."""
