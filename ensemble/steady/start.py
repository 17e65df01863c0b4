"""Approximate solutions that a solve starts from, instead of from zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.generator.generator import Generator
from ensemble.generator.sector import Sector
from ensemble.steady.truncation import Truncation


@dataclass(frozen=True, eq=False)
class Start:
    """Approximate solutions of an engine, for `ensemble.steady.stationary.stationary`.

    They may be of any of its equations, L δ = −L ρ₀/s of the state or L y = b of a response, in any
    normalisation and order: each solve starts from the combination of them whose image under L is
    nearest to its right-hand side.  So the state and the responses of a neighbouring engine or of a
    reduced model serve the state, the noise and the cumulants.  What is returned meets the same
    residual as without them; GMRES needs fewer iterations.

    Parameters
    ----------
    truncation : Truncation
        What the solutions keep of the sector.  It is the first one that is tried.
    vectors : array_like, shape (count, size)
        One solution a row, on ``truncation.sector(engine)``.

    Raises
    ------
    InvalidInput
        If there is no vector, or a number is not finite.
    """

    truncation: Truncation
    vectors: FloatArray

    def __post_init__(self) -> None:
        vectors = np.array(self.vectors, dtype=float)
        if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise InvalidInput(
                "start must have one vector of finite numbers a row, but has the shape "
                f"{vectors.shape} or a number that is not finite: leave out start"
            )
        object.__setattr__(self, "vectors", vectors)  # the instance is frozen

    def on(self, engine: Engine, sector: Sector) -> FloatArray:
        """The vectors on a sector that is at least as large, zero where they have no element.

        Raises
        ------
        InvalidInput
            If the vectors have another length than the truncation of this engine.
        """
        own = self.truncation.sector(engine)
        if self.vectors.shape[1] != own.size:
            raise InvalidInput(
                f"each vector of start must have {own.size} elements, as its truncation of this "
                f"engine, but has {self.vectors.shape[1]}: leave out start"
            )
        larger = np.zeros((len(self.vectors), sector.size))
        larger[:, own.positions_in(sector)] = self.vectors
        return larger


@dataclass(frozen=True, eq=False)
class Subspace:
    """A few vectors V and their images L V.

    Attributes
    ----------
    vectors, images : ndarray, shape (size, count)
        The images have norm one.
    """

    vectors: FloatArray
    images: FloatArray

    @classmethod
    def of(cls, generator: Generator, vectors: FloatArray) -> Subspace:
        """The subspace of vectors, shape (count, size); those with the image zero are left out."""
        images = np.array([generator.apply(vector) for vector in vectors])
        sizes = np.linalg.norm(images, axis=1)
        kept = sizes > 0
        scale = sizes[kept, np.newaxis]
        return cls((vectors[kept] / scale).T, (images[kept] / scale).T)

    def nearest(self, source: FloatArray) -> FloatArray:
        """The x of the subspace that minimises ‖L x − source‖₂."""
        return np.asarray(self.vectors @ np.linalg.lstsq(self.images, source)[0])
