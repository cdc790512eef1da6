"""One feed a file; the folder is the list."""
