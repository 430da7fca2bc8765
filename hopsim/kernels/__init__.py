"""Compiled kernels on plain arrays: numba and numpy only, no objects, no I/O, no configuration."""
