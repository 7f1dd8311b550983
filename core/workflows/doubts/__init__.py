"""What makes files doubtful once their rows are judged, and which doubts somebody must settle before a commit."""
