"""The parts of the page from top to bottom, and the controls above them."""
