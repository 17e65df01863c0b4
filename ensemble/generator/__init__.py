"""The Lindblad generator on one symmetry sector, as sparse matrices and without them."""
