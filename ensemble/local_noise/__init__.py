"""Local baths and dephasing of every spin: permutation-invariant states with all total spins."""
