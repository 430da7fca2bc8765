"""The command line of hopsim: parse, call an experiment, show progress, print. No science."""
