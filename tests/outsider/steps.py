"""A constant that kernels of another file are compiled with."""

STEP = 1
