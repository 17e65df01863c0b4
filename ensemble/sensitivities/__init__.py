"""Derivatives of currents and noise with respect to every parameter, by adjoint solves."""
