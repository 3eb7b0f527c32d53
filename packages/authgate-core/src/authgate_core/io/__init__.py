"""What touches the world: HTTP, Redis, files and the memory of this process; the only sockets of the core."""
