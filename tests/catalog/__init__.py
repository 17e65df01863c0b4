"""Tests of sweeps, lazy blocks, the store and its runs."""
