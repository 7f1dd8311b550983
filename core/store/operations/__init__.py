"""Operations: alerts, thresholds, jobs and workers."""
