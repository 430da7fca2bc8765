"""Averages over the Gaussian local field of mean-field theory, at any temperature down to 0.

In the replica-symmetric theory a unit sees the field H = m + sigma z along the retrieved pattern, with z
standard normal. Its thermal response tanh(H/T) turns into a step as T falls, on a scale of T/sigma in z where
no Gauss-Hermite rule can follow. The averages are therefore taken with t = H/T as the variable, by
Gauss-Legendre panels whose edges sit both where tanh bends (|t| < 20) and where the Gaussian lives; T = 0 is
done in closed form.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import erf

from hopsim.theory.arguments import FloatArray

# tanh(20) is 1 to the last bit. Sixteen nodes a panel are then exact to about 1e-15: the panels next to 0
# are the hardest, being nearest to the poles at ±i pi/2.
_RESPONSE_EDGES = np.array([-20.0, -8.0, -3.0, -1.5, 0.0, 1.5, 3.0, 8.0, 20.0])
_GAUSSIAN_EDGES = np.arange(-9.0, 10.0, 2.0)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)

# A Gaussian narrower than this part of the mean field moves no average by more than its square, 1e-12, but
# its nodes would differ from the mean by little more than rounding.
_NARROWEST = 1e-6

# At lower temperatures every average equals that at T = 0 to the last bit, and products of weights underflow.
_COLDEST = 1e-100


class FieldAverages(NamedTuple):
    """Averages over z of functions of t = (m + sigma z) / T; all have finite limits at T = 0.

    Attributes
    ----------
    tanh, tanh_squared : ndarray
        <tanh t> and <tanh^2 t>.
    response, response_z, response_zz : ndarray
        <sech^2 t>/T, <z sech^2 t>/T and <z^2 sech^2 t>/T: the linear response and its moments.
    response_squared : ndarray
        <sech^4 t>/T.
    """

    tanh: FloatArray
    tanh_squared: FloatArray
    response: FloatArray
    response_z: FloatArray
    response_zz: FloatArray
    response_squared: FloatArray


def field_averages(mean: FloatArray, width: FloatArray, temperature: FloatArray) -> FieldAverages:
    """Average the response to a Gaussian local field.

    Parameters
    ----------
    mean, width, temperature : (n,) float64 array
        Mean m >= 0 and standard deviation sigma of the field, not both 0; temperature T >= 0.

    Returns
    -------
    FieldAverages
        Arrays of shape (n,).
    """
    width = np.maximum(width, _NARROWEST * mean)
    averages = _averages_without_noise(mean, width)
    warm = temperature > _COLDEST
    if warm.any():
        for average, warm_average in zip(
            averages, _thermal_averages(mean[warm], width[warm], temperature[warm]), strict=True
        ):
            average[warm] = warm_average
    return averages


def mean_log_cosh(mean: FloatArray, width: FloatArray, temperature: FloatArray) -> FloatArray:
    """Return T <ln 2 cosh((m + sigma z)/T)>, <|m + sigma z|> at T = 0; arguments as `field_averages`."""
    width = np.maximum(width, _NARROWEST * mean)
    result = mean * erf(mean / (np.sqrt(2.0) * width)) + 2.0 * width * _normal_density(mean / width)
    warm = temperature > _COLDEST
    if warm.any():
        t, _, weights = _nodes(mean[warm], width[warm], temperature[warm])
        result[warm] += temperature[warm] * (weights * np.log1p(np.exp(-2.0 * np.abs(t)))).sum(axis=1)
    return result


def _averages_without_noise(mean: FloatArray, width: FloatArray) -> FieldAverages:
    """T = 0: tanh is the sign, and sech^2(H/T)/T is 2 delta(H), at z = -m/sigma (sech^4: 4/3 delta)."""
    signal = mean / width
    response = 2.0 * _normal_density(signal) / width
    return FieldAverages(
        tanh=erf(signal / np.sqrt(2.0)),
        tanh_squared=np.ones_like(signal),
        response=response,
        response_z=-signal * response,
        response_zz=signal**2 * response,
        response_squared=2.0 / 3.0 * response,
    )


def _thermal_averages(mean: FloatArray, width: FloatArray, temperature: FloatArray) -> FieldAverages:
    t, z, weights = _nodes(mean, width, temperature)
    decay = np.exp(-2.0 * np.abs(t))
    tanh = np.copysign((1.0 - decay) / (1.0 + decay), t)
    sech_squared = 4.0 * decay / (1.0 + decay) ** 2
    weighted_response = weights * sech_squared / temperature[:, None]
    weighted_response_z = weighted_response * z
    return FieldAverages(
        tanh=(weights * tanh).sum(axis=1),
        tanh_squared=(weights * tanh**2).sum(axis=1),
        response=weighted_response.sum(axis=1),
        response_z=weighted_response_z.sum(axis=1),
        response_zz=(weighted_response_z * z).sum(axis=1),
        response_squared=(weighted_response * sech_squared).sum(axis=1),
    )


def _nodes(
    mean: FloatArray, width: FloatArray, temperature: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return t, z and the weights (the Gaussian included), each of shape (n, n_nodes)."""
    centre = (mean / temperature)[:, None]
    scale = (width / temperature)[:, None]
    gaussian_edges = centre + scale * _GAUSSIAN_EDGES
    response_edges = np.broadcast_to(_RESPONSE_EDGES, (len(mean), len(_RESPONSE_EDGES)))
    edges = np.sort(np.concatenate([gaussian_edges, response_edges], axis=1), axis=1)
    half = 0.5 * np.diff(edges, axis=1)[:, :, None]
    t = (edges[:, :-1, None] + half * (1.0 + _NODES)).reshape(len(mean), -1)
    z = (t - centre) / scale
    weights = (half * _WEIGHTS).reshape(len(mean), -1) / scale * _normal_density(z)
    return t, z, weights


def _normal_density(z: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return density
