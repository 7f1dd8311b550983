"""Use cases of monitoring: readings, alerts, figures, the scorecard and notifications."""
