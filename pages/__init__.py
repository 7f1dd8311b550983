"""The dashboard: one file per task, which reads inputs, calls core and draws."""
