"""What a network is: its parameters, energy and local fields, in whatever form its couplings are held."""
