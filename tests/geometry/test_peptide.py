"""The seven distances against finite differences, geometry and real chains."""

import numpy as np
import pytest

from foldpix.generation import sample_backbones
from foldpix.geometry import Bonds, peptide_terms
from foldpix.geometry.peptide import _BETWEEN, _WITHIN  # the atoms that the oracle below needs
from foldpix.structure import read_structure

MEANS = np.array([1.4588, 1.5245, 2.4602, 1.3298, 2.4300, 2.4346, 3.8055])
SPREADS = np.array([0.0084, 0.0095, 0.0438, 0.0053, 0.0192, 0.0209, 0.0220])


def half_chi_square(coords: np.ndarray, bonded: np.ndarray, softness: float) -> float:
    """The energy itself, distance by distance."""
    total = 0.0
    variances = SPREADS**2 + softness**2
    for i, residue in enumerate(coords):
        for k, (a, b) in enumerate(zip(*_WITHIN, strict=True)):
            total += (np.linalg.norm(residue[a] - residue[b]) - MEANS[k]) ** 2 / variances[k]
        if i + 1 < len(coords) and bonded[i]:
            for k, (a, b) in enumerate(zip(*_BETWEEN, strict=True), start=3):
                total += (np.linalg.norm(residue[a] - coords[i + 1, b]) - MEANS[k]) ** 2 / variances[k]
    return 0.5 * total


def test_gradient_is_that_of_the_energy(rng):
    coords = next(sample_backbones(1, 40, 40)).coords[:6].astype(np.float64) + rng.normal(0, 0.05, (6, 3, 3))
    bonded = np.array([True, True, False, True, True])
    terms = peptide_terms(coords, Bonds(bonded, np.zeros(5, dtype=bool)), np.float64(0.03))
    numeric = np.zeros_like(coords)
    for index in np.ndindex(coords.shape):
        shift = np.zeros_like(coords)
        shift[index] = 1e-6
        after, before = (half_chi_square(coords + sign * shift, bonded, 0.03) for sign in (1, -1))
        numeric[index] = (after - before) / 2e-6
    assert terms.gradient.reshape(6, 3, 3) == pytest.approx(numeric, rel=1e-4, abs=1e-3)
    assert (terms.upper[2] == 0).all()  # nothing couples across a chain break


def test_curvature_is_exact_at_the_minimum(rng):
    """There Gauss and Newton's form misses nothing, so that a Newton step leads back at once."""
    coords = read_ideal()
    bonded, cis = np.ones(len(coords) - 1, dtype=bool), np.zeros(len(coords) - 1, dtype=bool)
    terms = peptide_terms(coords, Bonds(bonded, cis), np.float64(0.0))
    direction = rng.normal(size=coords.shape)
    flat = direction.reshape(len(coords), 9)
    quadratic = np.einsum("ia,iab,ib->", flat, terms.diagonal, flat)
    quadratic += 2 * np.einsum("ia,iab,ib->", flat[:-1], terms.upper, flat[1:])
    h = 1e-4
    up, middle, down = (half_chi_square(coords + s * h * direction, bonded, 0.0) for s in (1, 0, -1))
    assert quadratic == pytest.approx((up - 2 * middle + down) / h**2, rel=0.05)


def read_ideal() -> np.ndarray:
    return next(sample_backbones(1, 40, 40)).coords[:8].astype(np.float64)


def test_means_and_spreads_are_those_of_real_chains(real_structures):
    distances = []
    for path in sorted((real_structures / "chains").glob("*.pdb.gz"))[::60]:
        coords = read_structure(path)[0].coords.astype(np.float64)
        own, following = coords[:-1], coords[1:]
        trans = np.linalg.norm(following[:, 1] - own[:, 1], axis=-1) > 3.4
        within = [own[:, a] - own[:, b] for a, b in zip(*_WITHIN, strict=True)]
        between = [own[:, a] - following[:, b] for a, b in zip(*_BETWEEN, strict=True)]
        distances.append(np.linalg.norm(np.stack(within + between), axis=-1)[:, trans])
    found = np.concatenate(distances, axis=1)
    middle = np.median(found, axis=1, keepdims=True)
    assert middle[:, 0] == pytest.approx(MEANS, abs=0.005)
    spread = 1.4826 * np.median(np.abs(found - middle), axis=1)
    assert spread == pytest.approx(SPREADS, rel=0.2)
