"""Signals of a market around a day that are no facts of a home: how fast homes sell."""
