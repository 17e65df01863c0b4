"""Views: lazy Datasets, single points, tables, exported files."""
