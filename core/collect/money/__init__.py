"""What money the prices of a file are in."""
