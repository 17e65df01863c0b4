"""Relaxation rates: the slowest eigenvalues of the generator."""
