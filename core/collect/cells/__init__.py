"""What single cells say: amounts of money, dates and counts, as people of many countries write them."""
