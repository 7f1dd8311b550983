"""Files of dated figures of a market, such as the mortgage rate by week."""
