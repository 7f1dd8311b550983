"""Phase 7, monitoring: how the live model fares, whether inputs or prices moved, why, and what to do about it."""
