"""One file format a file; the folder is the list."""
