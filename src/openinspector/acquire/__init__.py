"""A resource becomes files to read."""
