"""Equations of motion of moments, closed by a cumulant expansion."""
