"""The stationary state: factorisation, iteration, truncation, certificate."""
