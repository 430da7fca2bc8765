"""Commands that take any hopsim file: show, export, plot."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hopsim.errors import InputError, RunError
from hopsim_cli.groups import Command
from hopsim_cli.printing import print_json, readable

if TYPE_CHECKING:
    from hopsim.storage.records import Records

file_argument = click.argument("file", type=click.Path(path_type=Path))
force_option = click.option("--force", is_flag=True, help="Overwrite.")


@click.command(cls=Command)
@file_argument
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
def show(file: Path, as_json: bool) -> None:
    """What is in FILE, how it was made, and the command that makes it again."""
    from hopsim.storage.run_file import open_run
    from hopsim_cli import showing

    run = open_run(file)
    if as_json:
        print_json(showing.as_json(run))
    else:
        click.echo(showing.as_text(run))


@click.command(cls=Command)
@file_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ending in .csv or .npz.  [default: FILE with .csv]",
)
@click.option("--variable", multiple=True, metavar="NAME", help="Only this; may be given several times.")
@force_option
def export(file: Path, out: Path | None, variable: tuple[str, ...], force: bool) -> None:
    """Write FILE as CSV or .npz.

    CSV is in long form, one row for each combination of the coordinates. Variables over different
    dimensions go to files of their own: OUT-trial-time.csv, OUT-trial.csv.
    """
    from hopsim.storage.run_file import open_run

    records = open_run(file).records
    out = _output(file, out, ".csv")
    for name in variable:
        if name not in records:
            raise InputError("variable", f"{file} has no {name!r}; it has {', '.join(records)}")
    names = list(dict.fromkeys(variable)) or list(records)
    match out.suffix.lower():
        case ".csv":
            paths = _export_csv(records, names, out, force)
        case ".npz":
            paths = _export_npz(records, names, out, force)
        case _:
            raise InputError("out", f"expected a name that ends in .csv or .npz, got {str(out)!r}")
    for path in paths:
        click.echo(readable(path))


def _export_npz(records: "Records", names: list[str], out: Path, force: bool) -> list[Path]:
    from hopsim.storage.run_file import check_output
    from hopsim_cli.exporting import write_npz

    check_output(out, force)
    dims = [dim for name in names for dim in records.variables[name].dims]
    write_npz(out, records, dict.fromkeys(dims + names))
    return [out]


def _export_csv(records: "Records", names: list[str], out: Path, force: bool) -> list[Path]:
    from hopsim.storage.run_file import check_output
    from hopsim_cli.exporting import tables, write_csv

    found = tables(records, names) or {(name,): [] for name in names}  # coordinates alone
    paths = [out if len(found) == 1 else _named_after(dims, out) for dims in found]
    for path in paths:
        check_output(path, force)
    for path, (dims, columns) in zip(paths, found.items(), strict=True):
        write_csv(path, records, dims, columns)
    return paths


@click.command(cls=Command)
@file_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FIG",
    help="The figure; its ending is the format (.png, .pdf, .svg ...).  [default: FILE with .png]",
)
@force_option
def plot(file: Path, out: Path | None, force: bool) -> None:
    """Draw the figure of FILE."""
    from hopsim.storage.run_file import check_output, open_run

    run = open_run(file)
    out = _output(file, out, ".png")
    check_output(out, force)
    try:
        from hopsim.plots.figures import save_figure
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("matplotlib", "PIL"):
            raise
        raise RunError("plot", f"needs {package}: pip install 'hopsim[plot]'") from None
    save_figure(run, out, force)
    click.echo(readable(out))


def _output(file: Path, out: Path | None, ending: str) -> Path:
    out = file.with_suffix(ending) if out is None else out
    if out.resolve() == file.resolve():
        raise InputError("out", f"{out} is the file to be read; give another name")
    return out


def _named_after(dims: tuple[str, ...], out: Path) -> Path:
    return out.with_name("-".join([out.stem, *(dims or ["scalars"])]) + out.suffix)
