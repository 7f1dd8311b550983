"""Phase 7, monitoring: how the live model performs, whether inputs or prices moved, why, and what to do about it."""
