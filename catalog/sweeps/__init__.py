"""What to compute: sweeps, their grids and files."""
