"""The prediction ledger: estimates, decisions, outcomes and figures computed from them."""
