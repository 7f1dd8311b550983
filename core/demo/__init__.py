"""The simulated city: its homes, prices, files, and the story built from them."""
