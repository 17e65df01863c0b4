"""Evolution in time."""
