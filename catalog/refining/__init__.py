"""Where to compute next on a map."""
