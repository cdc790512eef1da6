"""Packages and advisories become matches, with evidence."""
