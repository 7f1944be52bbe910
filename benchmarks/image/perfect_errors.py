"""Errors as the refined form expects them: how well could even a perfect prediction rank residues?"""

import numpy as np

from foldpix.geometry import inverse_diagonal, peptide_bonds
from foldpix.image import Decoded
from foldpix.image.closed_form import closed_form
from foldpix.image.likelihood import forces, misfit
from foldpix.image.normal_equations import normal_equations
from foldpix.image.views import read_views


def draw_errors(image: np.ndarray, decoded: Decoded, d_max: float, rng: np.random.Generator) -> np.ndarray:
    """Errors (L,) in angstrom, drawn from Gaussians with the shapes of :func:`covariances`.

    Their root mean squares are those of ``decoded.error``, from the refined form.
    """
    shape = covariances(image, decoded.coords, d_max)
    variance = np.trace(shape, axis1=-2, axis2=-1) / 3
    root = np.linalg.cholesky(shape * (decoded.error**2 / variance)[:, None, None])
    shift = (root @ rng.standard_normal((len(root), 9, 1)))[..., 0]
    return np.sqrt(np.sum(shift**2, axis=-1) / 3)


def covariances(image: np.ndarray, coords: np.ndarray, d_max: float) -> np.ndarray:
    """Of N, CA, C of each residue of a refined backbone, (L, 9, 9): the inverse of the normal equations."""
    mask = np.ones(len(coords))
    views = read_views(np.asarray(image, dtype=np.float64), np.full((1, 1), d_max), mask)
    start, known, _ = closed_form(views)
    bonds, coords = peptide_bonds(start, mask), np.asarray(coords, dtype=np.float64)
    found = misfit(coords, views, known)
    system = normal_equations(coords, forces(found, views), bonds, np.zeros(()))
    return inverse_diagonal(system.diagonal, system.upper)
