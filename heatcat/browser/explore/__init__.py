"""What one explores a sweep with, below the map: points, curves, regimes, small maps, pins.

Each panel is a pair of files: what it reads and computes, which knows no widget, and its section of
the page.
"""
