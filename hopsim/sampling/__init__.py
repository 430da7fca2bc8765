"""From a model to states: relaxation at T = 0, heat-bath chains at T > 0."""
