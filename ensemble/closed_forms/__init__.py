"""Closed forms: one pair, one spin, the undriven limit N → ∞."""
