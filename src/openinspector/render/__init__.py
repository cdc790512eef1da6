"""An inventory or its findings in somebody's words."""
