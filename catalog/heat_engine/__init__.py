"""The first model: the collective heat engine, its terms, methods, cost and presets."""
