"""Phase 5, evaluation: how good a model is on sales it has not seen."""
