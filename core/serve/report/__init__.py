"""The seller's report as a PDF."""
