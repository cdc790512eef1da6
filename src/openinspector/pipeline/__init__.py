"""The stages joined, one verb a file."""
