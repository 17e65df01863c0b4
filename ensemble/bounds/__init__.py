"""Uncertainty relations: the least noise that a current may have."""
