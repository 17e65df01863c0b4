"""Time and memory of points and blocks."""
