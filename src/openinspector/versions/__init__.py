"""A version's sort key; which of two is older; is this one in that range."""
