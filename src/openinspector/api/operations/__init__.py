"""One file a kind of operation."""
