"""A publisher's VEX document becomes statements."""
