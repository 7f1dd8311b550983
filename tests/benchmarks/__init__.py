"""Benchmarks: measured speed, memory and accuracy, run by hand or on a schedule; the tests assert no times."""
