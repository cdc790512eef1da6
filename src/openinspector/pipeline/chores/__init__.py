"""What the service does of its own accord, one chore a file."""
