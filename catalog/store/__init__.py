"""Bytes: how a sweep lies in a Zarr store, is extended, checked and repaired."""
