"""The simulated city: its homes, prices, files, and the story told from them."""
