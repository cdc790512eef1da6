"""One version scheme a file; the folder is the list."""
