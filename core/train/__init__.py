"""Phase 4, training: candidates, search, ranges and confidence, and the model bundle."""
