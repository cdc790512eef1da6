"""A publisher's document becomes advisories."""
