"""The Lindblad generator in the sectors that it leaves apart."""
