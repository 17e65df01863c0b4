"""Lists, curves and scatters of engines: what stands behind the tabs, with its controls."""
