"""Engines whose drive is detuned: the same sector, with complex coherences."""
