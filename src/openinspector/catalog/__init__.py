"""Files become packages."""
