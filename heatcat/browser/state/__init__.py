"""What a visitor has chosen, the link that keeps it, and what a part of the page is given."""
