"""Counting statistics of the quanta: currents, noise, cumulants."""
