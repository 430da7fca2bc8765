"""Named arrays with named dimensions and coordinates: what an experiment hands back and what a file holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

GROUPS = ("posterior", "sample_stats")  # ArviZ's, for variables over (chain, draw, ...)


class Variable(msgspec.Struct, frozen=True):
    """What is known of an array before it exists.

    Attributes
    ----------
    dims : tuple of str
        The names of its axes; empty for a single number.
    long_name : str
        What it is, in words.
    units : str
        Its unit, ``"1"`` for a pure number.
    packed : bool
        Spins (±1, last axis the neurons) that a file keeps as bits.
    group : str
        One of `GROUPS`: where a file keeps it, for ArviZ to find; ``""`` for the root. Not for coordinates.
    """

    dims: tuple[str, ...]
    long_name: str
    units: str = "1"
    packed: bool = False
    group: str = ""


@dataclass(frozen=True, eq=False)
class PackedSpins:
    """Spins of ±1 as bits, eight neurons a byte, the first in the lowest bit; a set bit is +1.

    Attributes
    ----------
    bits : (..., ceil(n_neurons / 8)) uint8 array
        The packed spins; the bits behind the last neuron do not matter.
    n_neurons : int
        Length of the last axis once unpacked.

    Examples
    --------
    >>> packed = PackedSpins.pack(np.array([1, -1, 1], dtype=np.int8))
    >>> packed.bits, packed.shape
    (array([5], dtype=uint8), (3,))
    >>> packed.unpack()
    array([ 1, -1,  1], dtype=int8)
    """

    bits: NDArray[np.uint8]
    n_neurons: int

    def __post_init__(self) -> None:
        bits = self.bits
        if bits.dtype != np.uint8 or bits.shape[-1:] != (-(-self.n_neurons // 8),):
            raise ValueError(f"{bits.dtype} {bits.shape} are not the bits of {self.n_neurons} neurons")

    @classmethod
    def pack(cls, spins: NDArray[np.int8]) -> "PackedSpins":
        """Pack spins of ±1, shape (..., n_neurons)."""
        return cls(np.packbits(spins > 0, axis=-1, bitorder="little"), spins.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the unpacked spins."""
        return (*self.bits.shape[:-1], self.n_neurons)

    def unpack(self) -> NDArray[np.int8]:
        """Return the spins as an int8 array of ±1, shape (..., n_neurons)."""
        spins = np.unpackbits(self.bits, axis=-1, count=self.n_neurons, bitorder="little").view(np.int8)
        spins *= 2
        spins -= 1
        return spins


class Records:
    """Named arrays that share named dimensions.

    A variable whose name is its only dimension is that dimension's coordinate; a dimension without one gets
    the integers from 0. Missing floats are NaN.

    Parameters
    ----------
    schema : mapping of str to Variable
        What the arrays may be.
    arrays : mapping of str to array_like or PackedSpins
        The arrays: bool, integers, float32, float64 or str. Each is named in `schema`; not all that `schema`
        names need be there.

    Raises
    ------
    ValueError
        If an array is not in the schema, does not fit its dimensions or the other arrays, or is of a type
        that no file holds.

    Examples
    --------
    >>> schema = {
    ...     "energy": Variable(("trial", "time"), "energy"),
    ...     "time": Variable(("time",), "time", units="sweep"),
    ... }
    >>> records = Records(schema, {"energy": [[-0.5, -0.7]], "time": [0, 1]})
    >>> records.sizes
    {'trial': 1, 'time': 2}
    >>> records.coordinate("trial")
    array([0])
    """

    def __init__(self, schema: Mapping[str, Variable], arrays: Mapping[str, ArrayLike | PackedSpins]) -> None:
        unknown = sorted(set(arrays) - set(schema))
        if unknown:
            raise ValueError(f"not in the schema: {', '.join(unknown)}")
        self.variables: dict[str, Variable] = {}
        self.sizes: dict[str, int] = {}
        self._arrays: dict[str, Array | PackedSpins] = {}
        for name, variable in schema.items():
            if name in arrays:
                self._add(name, variable, arrays[name])
        for dim in self.sizes:
            if dim not in self.variables:
                self._add(dim, Variable((dim,), f"index of {dim}"), np.arange(self.sizes[dim]))
            elif self.variables[dim].dims != (dim,):
                raise ValueError(f"{dim} is a dimension, so the variable {dim} must have it as its only one")
            elif self.variables[dim].group:
                raise ValueError(f"{dim} is a coordinate, which belongs to every group that uses it")

    def _add(self, name: str, variable: Variable, value: ArrayLike | PackedSpins) -> None:
        for word in (name, *variable.dims):
            if not word.isidentifier():
                raise ValueError(f"{word!r} is no name for a variable or a dimension")
            if word in GROUPS:
                raise ValueError(f"{word} is the name of a group")
        if variable.group not in ("", *GROUPS):
            raise ValueError(f"{name}: there is no group {variable.group!r}")
        array = _stored(name, variable, value)
        if len(array.shape) != len(variable.dims) or len(set(variable.dims)) != len(variable.dims):
            raise ValueError(f"{name}: shape {array.shape} does not fit the dimensions {variable.dims}")
        for dim, length in zip(variable.dims, array.shape, strict=True):
            if self.sizes.setdefault(dim, length) != length:
                raise ValueError(f"{name}: {dim} has length {length} here and {self.sizes[dim]} elsewhere")
        self.variables[name] = variable
        self._arrays[name] = array

    def __getitem__(self, name: str) -> Array:
        """Return the array; packed spins are unpacked anew each time."""
        array = self._arrays[name]
        return array.unpack() if isinstance(array, PackedSpins) else array

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def packed(self, name: str) -> PackedSpins:
        """Return spins as bits, without unpacking them if that is how they are held."""
        array = self._arrays[name]
        return array if isinstance(array, PackedSpins) else PackedSpins.pack(array)

    def coordinate(self, dim: str) -> Array:
        """Return the coordinate of a dimension, shape (length,)."""
        if dim not in self.sizes:
            raise KeyError(dim)
        return self[dim]


def _stored(name: str, variable: Variable, value: ArrayLike | PackedSpins) -> Array | PackedSpins:
    """Return the array as `Records` holds it; raise ValueError for a type that no file holds."""
    if isinstance(value, PackedSpins):
        if not variable.packed:
            raise ValueError(f"{name}: packed spins, but the schema does not say so")
        return value
    array: Array = np.asarray(value)
    if array.dtype == object and all(isinstance(text, str) for text in array.flat):
        array = array.astype(np.str_)
    if variable.packed and array.dtype != np.int8:
        raise ValueError(f"{name}: spins must be int8, not {array.dtype}")
    if array.dtype.kind not in "biuU" and array.dtype not in (np.float32, np.float64):
        raise ValueError(f"{name}: arrays of {array.dtype} are not recorded")
    return array
