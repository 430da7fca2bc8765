"""The commands `train` and `gradient` alone; as a script, with a checkpoint after every step, to be killed."""

import signal

from hopsim_cli import observers
from hopsim_cli.groups import Entry, Program

program = Program(
    {
        "train": Entry("hopsim_cli.boltzmann_training", "train", "Learn a machine from data."),
        "gradient": Entry(
            "hopsim_cli.boltzmann_gradients", "gradient", "The sampled gradient and the exact one."
        ),
    },
    name="hopsim",
)

if __name__ == "__main__":
    observers.SAVE_SECONDS = 0.0
    observers.SAVE_SHARE = 1e9
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    program.main()
