"""The prediction ledger: estimates, decisions, outcomes and the figures drawn from them."""
