"""Smooth outlines of particles, binder and liquid from label images."""
