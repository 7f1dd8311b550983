"""Phase 6, deployment: the estimate an agent gets, or why there is none."""
