"""A match gets a severity and a score."""
