"""What changed is told to others: buses, hubs, web addresses, files."""
