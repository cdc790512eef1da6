"""What Java archives and project files say, read from memory."""
