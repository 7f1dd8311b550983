"""Parts that show an estimate, shared by pricing and evaluation."""
