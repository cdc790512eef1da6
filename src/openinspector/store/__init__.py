"""What we remember: the immutable advisory file."""
