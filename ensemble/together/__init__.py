"""Many engines of one size solved together: arrays over points in place of a loop."""
