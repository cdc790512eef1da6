"""The nouns: what the stages exchange."""
