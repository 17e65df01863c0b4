"""The limits N → ∞ of the collective engine."""
