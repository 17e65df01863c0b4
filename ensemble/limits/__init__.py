"""The limit N → ∞: a pair of classical spins."""
