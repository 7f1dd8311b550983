"""What facts are worth: estimates of homes of which few are known, and of markets with one more."""
