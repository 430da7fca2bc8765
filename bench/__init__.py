"""Benches: hopsim beside other people's programs and the machine's ceilings."""
