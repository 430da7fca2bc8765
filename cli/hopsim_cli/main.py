"""The command `hopsim`. Its groups and commands are imported when they are used."""

import os
import signal

import click

from hopsim_cli.groups import Entry, Program

ENTRIES = {
    "hopfield": Entry(
        "hopsim_cli.hopfield_commands", "hopfield", "Hopfield networks: recall, capacity, phases."
    ),
    "boltzmann": Entry(
        "hopsim_cli.boltzmann_commands", "boltzmann", "Boltzmann machines: exact, sampled, annealed, learned."
    ),
    "sweep": Entry("hopsim_cli.sweep_commands", "sweep", "Studies of many points, here or on a cluster."),
    "theory": Entry("hopsim_cli.theory_commands", "theory", "Mean-field predictions."),
    "show": Entry("hopsim_cli.files_commands", "show", "What is in a file and how it was made."),
    "plot": Entry("hopsim_cli.files_commands", "plot", "Draw the figure of a file."),
    "export": Entry("hopsim_cli.files_commands", "export", "Write a file as CSV or .npz."),
}

program = Program(
    ENTRIES,
    name="hopsim",
    help="Hopfield networks and their relatives: simulate, compare with theory, plot.",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100},
    no_args_is_help=True,
)
click.version_option(package_name="hopsim", message="hopsim %(version)s")(program)


def main() -> None:
    """Run the command line; leaves with an exit status."""
    # Threads that wait for the next compiled call must not spin: the machine may have other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # SIGTERM, a batch system's SIGUSR1, and SIGINT though we were started in the background, interrupt like Ctrl-C
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.default_int_handler)
    program.main()


if __name__ == "__main__":
    main()
