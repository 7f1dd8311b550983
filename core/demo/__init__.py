"""The simulated city: its homes, prices, files, and the story built from them."""

from typing import Final

SALES_USUAL: Final = 10_000
"""How many sales the city has unless someone asks for another number: enough for its story, and soon open."""
