"""What a visitor has chosen, its link, what a part of the page is given, and threads for work."""
