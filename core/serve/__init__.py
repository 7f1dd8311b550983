"""Phase 6, deployment: the estimate an agent gets, or the reason there is none."""
