"""Parts of the page Price a home."""
