"""Optimal engines: a variable is maximised over parameters, under constraints."""
