"""A sweep's place on the disk: its file, its shards while it runs, the locks, and what an earlier run left there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hopsim.errors import InputError
from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.experiments.study import Study
from hopsim.storage.atomic_file import replace_file, write_all
from hopsim.storage.output_lock import is_locked, output_lock
from hopsim.storage.provenance import hopsim_version
from hopsim.storage.run_file import check_output, open_run
from hopsim.sweeps.result_file import finished_in_run
from hopsim.sweeps.shards import Shards, identity
from hopsim.sweeps.studies import study_of_experiment
from hopsim.sweeps.sweep import WHOLE, Share

_DESCRIPTION = "study.json"
_FORMAT_VERSION = 1
_LARGEST_DESCRIPTION = 2**26


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shards of a directory are for."""

    format_version: int
    hopsim_version: str
    experiment: str
    configuration: dict[str, Any]


def shard_directory(path: Path) -> Path:
    """Return where the shards of a sweep with output `path` are while it runs."""
    return path.with_name(path.name + ".shards")


@contextmanager
def open_output(
    path: Path,
    study: Study,
    configuration: Any,
    *,
    resume: bool,
    force: bool,
    share: Share,
    message: Callable[[str], None],
) -> Iterator[Shards]:
    """Hold the output of a sweep and give its finished points: none yet, or with `resume` those of earlier runs.

    Parameters
    ----------
    path : Path
        The sweep's file.
    study, configuration
        What is run.
    resume : bool
        Go on with what an earlier run left, finished or not; points that no longer belong are named.
    force : bool
        Remove what an earlier run left.
    share : Share
        A share of an array goes on with what is there in any case, and never writes the file.
    message : callable
        Told what is kept and what no longer belongs.

    Raises
    ------
    InputError
        If another run is at work there, if something is there and neither `resume` nor `force` is given, or if
        what is there is damaged or of another specification. Nothing was changed then.
    """
    directory = shard_directory(path)
    if path.exists() and not (resume or force):
        raise InputError(
            "out",
            f"{path} exists; go on with it by --resume, overwrite it with --force or choose another name",
        )
    check_output(path, force=True)
    with ExitStack() as stack:
        stack.enter_context(locked_output(path, share))
        if share == WHOLE and not (resume or force) and _has_shards(directory):
            raise InputError(
                "out",
                f"{directory} holds points of a run that has not ended; go on by --resume or start anew with --force",
            )
        description = _describe(study, configuration)
        if force and share == WHOLE:
            remove_shards(directory)
        elif share != WHOLE:
            _require_same(directory, description)
        directory.mkdir(exist_ok=True)
        try:
            points = Shards.open(
                directory,
                study.EXPERIMENT,
                configuration.seed,
                study.cells(configuration),
                n_networks=study.n_networks(configuration),
                alone=share == WHOLE,
            )
            if resume and path.exists():
                _import_run(path, study, configuration, points)
            _name_strangers(points, directory, message)
            with replace_file(directory / _DESCRIPTION) as file:
                write_all(file, msgspec.json.encode(description))
            yield points
        finally:
            if not _has_shards(directory):
                remove_shards(directory)


def read_description(path: Path) -> tuple[Study, Any]:
    """Return the study and the configuration that the shards of output `path` are for.

    Raises
    ------
    InputError
        If there are none, or they are of another version.
    """
    directory = shard_directory(path)
    file = directory / _DESCRIPTION
    description = _read(file)
    if description is None:
        raise InputError(
            "out", f"there are no points of a sweep to be found for {path} (looked in {directory})"
        )
    if (description.format_version, description.hopsim_version) != (_FORMAT_VERSION, hopsim_version()):
        raise InputError(
            str(file),
            f"is of hopsim {description.hopsim_version}, this is {hopsim_version()}; finish it with that one",
        )
    study = study_of_experiment(description.experiment)
    try:
        return study, msgspec.convert(description.configuration, study.CONFIGURATION, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(str(file), f"does not describe a study: {error}") from None


def read_points(path: Path, study: Study, configuration: Any) -> Shards:
    """Return the points in the shards of output `path` as they are now, changing nothing."""
    return Shards.open(
        shard_directory(path),
        study.EXPERIMENT,
        configuration.seed,
        study.cells(configuration),
        n_networks=study.n_networks(configuration),
        read_only=True,
    )


def seed_of_earlier_run(path: Path) -> int | None:
    """Return the seed of the run that left something at output `path`; None if there is nothing."""
    description = _read(shard_directory(path) / _DESCRIPTION)
    if description is not None:
        seed = description.configuration.get("seed")
    elif path.exists():
        seed = open_run(path).configuration.get("seed")
    else:
        return None
    return seed if isinstance(seed, int) else None


def remove_shards(directory: Path) -> None:
    """Remove a directory of shards with all that hopsim has put there, and nothing else."""
    if not directory.is_dir():
        return
    (directory / _DESCRIPTION).unlink(missing_ok=True)
    Shards.remove(directory)


def is_running(path: Path) -> bool:
    """Whether a sweep, or a share of one, is at work on output `path`."""
    return is_locked(path) or any(is_locked(other) for other in _share_outputs(path))


@contextmanager
def locked_output(path: Path, share: Share = WHOLE) -> Iterator[None]:
    """Hold the lock of the whole output, which no share may hold a lock of, or a share's, and the other way round."""
    own = path if share == WHOLE else path.with_name(f"{path.name}.{share.number}-of-{share.n_shares}")
    with output_lock(own):
        others = _share_outputs(path) if share == WHOLE else [path]
        for other in others:
            if is_locked(other):
                raise InputError(
                    "out", f"{path} is being computed by another run; wait for it, or stop it first"
                )
        yield


def _share_outputs(path: Path) -> list[Path]:
    locks = path.resolve().parent.glob(f".{path.name}.*-of-*.lock")
    return [lock.with_name(lock.name.removeprefix(".").removesuffix(".lock")) for lock in locks]


def _has_shards(directory: Path) -> bool:
    return directory.is_dir() and any(Shards.files(directory))


def _describe(study: Study, configuration: Any) -> Description:
    return Description(
        _FORMAT_VERSION, hopsim_version(), study.EXPERIMENT, msgspec.to_builtins(configuration)
    )


def _read(file: Path) -> Description | None:
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(_LARGEST_DESCRIPTION), type=Description)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise InputError(str(file), f"does not describe a sweep: {error}") from None


def _require_same(directory: Path, description: Description) -> None:
    """Refuse a share of another study than the one whose shards are there; threads do not matter."""
    there = _read(directory / _DESCRIPTION)
    if there is None:
        return
    if _canonical(there) != _canonical(description):
        raise InputError(
            "out",
            f"{directory} holds points of another specification; choose another name, or merge or remove them",
        )


def _canonical(description: Description) -> bytes:
    """Return what must be alike for the same points to be meant: threads need not."""
    configuration = {**description.configuration, "threads": None}
    return msgspec.json.encode(
        msgspec.structs.replace(description, configuration=configuration), order="sorted"
    )


def _import_run(path: Path, study: Study, configuration: Any, points: Shards) -> None:
    """Take the finished points out of the file of an earlier run."""
    before, parts = finished_in_run(open_run(path), study)
    seed = configuration.seed
    numbers = {identity(study.EXPERIMENT, seed, cell): n for n, cell in enumerate(study.cells(configuration))}
    cells = study.cells(before)
    fresh: list[FinishedPart] = []
    for finished in parts:
        cell = cells[finished.part.cell]
        number = numbers.get(identity(study.EXPERIMENT, before.seed, cell))
        n_points = finished.part.last - finished.part.first
        if number is None:
            points.strangers.append(({"seed": before.seed, **msgspec.to_builtins(cell)}, n_points))
        else:
            fresh.append(finished._replace(part=Part(number, finished.part.first, finished.part.last)))
    if fresh:
        points.commit(fresh)


def _name_strangers(points: Shards, directory: Path, message: Callable[[str], None]) -> None:
    if not points.strangers:
        return
    n_kept = sum(len(ranges) for ranges in points.ranges.values())
    n_strange = sum(n_points for _, n_points in points.strangers)
    if n_kept == 0:
        raise InputError(
            "out",
            f"{directory.with_suffix('')} holds points of another specification, as "
            f"{_named(points.strangers[0][0])}; choose another name, or start anew with --force",
        )
    named = "; ".join(_named(cell) for cell, _ in points.strangers[:3])
    more = f" and {len(points.strangers) - 3} more" if len(points.strangers) > 3 else ""
    message(
        f"{n_kept} finished points are kept; {n_strange} no longer belong and are left out: {named}{more}"
    )


def _named(cell: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cell.items())
