"""The other parts of the page, their order from top to bottom, and the controls."""
