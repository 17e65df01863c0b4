"""What a view shows: the sweep, its numbers, their scales and colours, and words for people."""
