"""Executable files, read from memory: where a section lies, and what compilers left in it."""
