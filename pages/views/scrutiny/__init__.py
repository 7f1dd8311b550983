"""Views of sale scrutiny: the review queue of doubtful sales, and what decisions on them do."""
