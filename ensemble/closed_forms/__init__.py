"""What can be written down: one pair, one spin, the undriven limit."""
