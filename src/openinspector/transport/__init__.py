"""The only modules that call out: sockets, processes, the clock."""
