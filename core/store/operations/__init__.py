"""Running the desk: alerts, thresholds, jobs and workers."""
