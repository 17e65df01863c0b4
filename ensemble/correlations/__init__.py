"""Correlations of one spin of each ensemble."""
