"""Engines as lists, curves, scatters and small maps: most of these stand behind a tab."""
