"""Finds software vulnerabilities on hosts, in images, functions and SBOMs, and says why."""

__version__ = "0.1.0"
