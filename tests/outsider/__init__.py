"""A codec of somebody else's, with kernels; tests/outsiders.py installs copies of it."""
