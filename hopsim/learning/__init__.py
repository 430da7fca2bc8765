"""From patterns or data to the parameters of a network."""
