"""Parameters of an engine: checks, baths, and spacings and temperatures without rounding."""
