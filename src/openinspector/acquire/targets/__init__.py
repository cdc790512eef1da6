"""One kind of target a file."""
