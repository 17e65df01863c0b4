"""Relative entropies of two-spin X states to full relative accuracy, and their quantum discord."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from ensemble.arrays import FloatArray

GAP = 1e-9
"""Relative width of the certified interval of a discord that has no closed form."""
MOST_ARCS = 2**16
_T, _WEIGHT = np.polynomial.legendre.leggauss(12)
_T, _WEIGHT = (_T + 1) / 2, _WEIGHT / 2


class Discord(NamedTuple):
    """Quantum discord: ``bound`` certifies that the minimum lies in [value − bound, value]."""

    value: float
    bound: float
    angle: float
    """Angle θ of the best measurement to the z axis; the azimuth is arbitrary."""


def population_divergence(reference: FloatArray, change: FloatArray) -> FloatArray:
    r"""Relative entropy of q + δ to q, Σδ = 0, to full relative accuracy in δ.

    .. math:: \sum q\,\varphi(\delta/q), \quad \varphi(u) = (1+u)\ln(1+u) - u
              = u^2\int_0^1 \frac{1-t}{1+tu}\,dt

    Parameters
    ----------
    reference, change : ndarray, shape (..., k)
        Populations q ≥ 0, and δ ≥ −q up to rounding.

    Returns
    -------
    ndarray, shape (...)
    """
    u = np.divide(change, reference, out=np.zeros_like(reference), where=reference > 0)
    u = np.maximum(u, -1.0)
    small = np.clip(u, -0.5, 0.5)[..., None]  # where Gauss's rule is exact to rounding
    series = u * u * _integral((1 - _T) / (1 + _T * small))
    exact = special.xlogy(1 + u, 1 + u) - u
    return np.sum(reference * np.where(np.abs(u) <= 0.5, series, exact), axis=-1)


def _integral(samples: FloatArray) -> FloatArray:
    """Gauss's rule over the last axis; what it gives does not depend on the other axes."""
    return np.asarray((samples * _WEIGHT).sum(axis=-1))


def coherence_divergence(
    b: FloatArray | float, c: FloatArray | float, w: FloatArray | float
) -> FloatArray:
    r"""Σλ ln λ − b ln b − c ln c of the matrix [[b, w], [w*, c]], to full relative accuracy in w.

    .. math:: |w|^2 \int_0^1 \frac{\mathrm{artanh}(r/m)}{r}\,dt, \qquad
              m = \frac{b+c}{2}, \quad r^2 = \frac{(b-c)^2}{4} + t|w|^2

    Parameters
    ----------
    b, c : ndarray or float, shape (...)
        Diagonal, ≥ 0; b + c need not be 1.
    w : ndarray or float, shape (...)
        Modulus of the off-diagonal element, w² ≤ bc up to rounding.

    Returns
    -------
    ndarray, shape (...)
    """
    big, small = np.maximum(b, c), np.minimum(b, c)
    scale = np.where(big > 0, big, 1.0)  # the divergence is homogeneous: nothing underflows
    small, w = small / scale, np.asarray(w / scale)
    small = np.where(small > 0, small, 1.0)  # without population there is no coherence: w = 0
    w = np.minimum(w, np.sqrt(small))
    filling = np.minimum(w / np.sqrt(small), 1.0) ** 2
    mean, half = (1 + small) / 2, (1 - small) / 2

    # Weak coherence: Gauss's rule converges while filling ≤ ½.
    weak = np.minimum(filling, 0.5)[..., None] * _T
    m = mean[..., None]
    r = np.sqrt(half[..., None] ** 2 + weak * small[..., None])
    ratio = np.minimum(r / m, 0.5)
    near = np.divide(np.arctanh(ratio), ratio, out=np.ones_like(ratio), where=ratio > 0) / m
    root = np.maximum(r, m / 4)
    far = np.log((m + root) / np.sqrt(small[..., None] * (1 - weak))) / root
    series = w * w * _integral(np.where(r <= m / 2, near, far))

    # Strong coherence: the eigenvalues 1 + moved and small − moved.
    radius = np.hypot(half, w)
    moved = w * w / (radius + half + (radius == 0))
    left = (1 - filling) * small / (mean + radius)
    exact = (
        (1 + moved) * np.log1p(moved) - moved * np.log(small) + special.xlogy(left, left / small)
    )
    return np.where(w > 0, scale * np.where(filling <= 0.5, series, exact), 0.0)


def gained_information(
    theta: FloatArray | float,
    length: FloatArray | float,
    kept: FloatArray | float,
    measured: FloatArray | float,
    covariance: FloatArray | float,
    w: FloatArray | float,
) -> FloatArray:
    """Information J that the measurement (1 ± n·σ)/2 of one spin gives about the other, in nats.

    Parameters
    ----------
    theta, length : ndarray or float, shape (...)
        Angle of n to the z axis, and |n|: 1 for a projective measurement.
    kept, measured : ndarray or float, shape (...)
        Excitation probabilities of the two spins.
    covariance, w : ndarray or float, shape (...)
        Covariance of the excitations, and modulus of the coherence.

    Returns
    -------
    ndarray, shape (...)
        Infinite where |n| > 1 leaves no positive state.
    """
    u, v = length * np.cos(theta), length * np.sin(theta)
    one_minus_u = 2 * np.sin(theta / 2) ** 2 - (length - 1) * np.cos(theta)
    gain = np.zeros(np.shape(u))
    for sign, p in ((1, measured), (-1, 1 - measured)):
        outcome = np.maximum(p * u + one_minus_u / 2, 0.0)
        reference = np.stack([outcome * kept, outcome * (1 - kept)], axis=-1)
        change = sign * np.stack([covariance * u, -covariance * u], axis=-1)
        up, down = np.moveaxis(reference + change, -1, 0)
        coherence = v * w / 2
        outside = (length > 1) & ((up < 0) | (down < 0) | (coherence**2 > up * down))
        up, down = np.maximum(up, 0.0), np.maximum(down, 0.0)
        term = population_divergence(reference, change) + coherence_divergence(up, down, coherence)
        gain = gain + np.where(outside, np.inf, term)
    return gain


def bracketed_discord(
    kept: float, measured: float, covariance: float, w: float, total: float, quantum: float
) -> Discord:
    """Branch and bound over arcs of the measurement angle, from the convexity of J."""

    def gain(theta: FloatArray, length: FloatArray | float = 1.0) -> FloatArray:
        return gained_information(theta, length, kept, measured, covariance, w)

    # J never exceeds I, nor the entropy of the spin that it is about.
    ceiling = min(total, float(special.entr(kept) + special.entr(1 - kept)))
    theta = np.linspace(0, np.pi / 2, 17)
    values = gain(theta)
    left, right, at_left, at_right = theta[:-1], theta[1:], values[:-1], values[1:]
    best, angle = float(values.max()), float(theta[values.argmax()])
    pruned = best
    while True:
        corner = np.minimum(gain((left + right) / 2, 1 / np.cos((right - left) / 2)), ceiling)
        above = np.maximum(np.maximum(at_left, at_right), corner)
        allowed = best + GAP * max(total - best, 0.0) + 32 * np.finfo(float).eps * total
        open_ = above > allowed
        pruned = max(pruned, float(above[~open_].max(initial=best)))
        if not open_.any() or open_.sum() > MOST_ARCS or (right - left).min() < 1e-15:
            break
        left, right, at_left, at_right = (x[open_] for x in (left, right, at_left, at_right))
        middle = (left + right) / 2
        at_middle = gain(middle)
        if at_middle.max() > best:
            best, angle = float(at_middle.max()), float(middle[at_middle.argmax()])
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        at_left, at_right = (
            np.concatenate([at_left, at_middle]),
            np.concatenate([at_middle, at_right]),
        )
    highest = max(pruned, float(above.max()))
    value = quantum if angle == 0 else max(total - best, 0.0)
    return Discord(value, max(highest - best, 0.0), angle)
