"""Overlaps, gradients and Hessians from moments, against definitions and finite differences in float64."""

import jax
import numpy as np
import pytest

from foldpix.alignment import Charged, Cloud, Pharmacophore, Volume
from foldpix.alignment.moments import derivatives, make_terms
from foldpix.alignment.polynomials import GRADIENT, HESSIAN, VALUE
from foldpix.alignment.poses import apply
from foldpix.alignment.tiles import tiles
from tests.alignment.reference import overlap
from tests.conftest import random_rotation

OVERLAPS = [Volume(0.81), Charged(0.81, 0.1), Pharmacophore(), Pharmacophore("tanimoto", True)]
STEP = 1e-3


def cloud(rng, num):
    types = rng.integers(0, 5, num)
    return Cloud(
        2.0 * rng.standard_normal((num, 3)),
        0.3 * rng.standard_normal(num),
        types,
        rng.standard_normal((num, 3)),
    )


def turned(vector):
    """exp of a rotation vector (Rodrigues)."""
    angle = np.linalg.norm(vector)
    x, y, z = vector / max(angle, 1e-30)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def at(which, ref, fit, rotation, translation):
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = rotation, translation
    # Ends of extended points lie at the ends of the vectors as given.
    return overlap(
        which, ref, Cloud(apply(transform, fit.points), fit.charges, fit.types, fit.vectors @ rotation.T)
    )


@pytest.mark.parametrize("which", OVERLAPS, ids=["volume", "charged", "pharmacophore", "extended"])
def test_values_and_derivatives(which, rng):
    ref, fit = cloud(rng, 18), cloud(rng, 7)
    rotation, translation = random_rotation(rng), rng.standard_normal(3)
    (tile,) = tiles([(which.fold(ref), which.fold(fit))], 1)

    @jax.jit
    def found(ref, fit, rotation, translation):
        terms = make_terms(ref, fit, getattr(which, "alpha", 1.0), getattr(which, "lam", 1.0))
        return derivatives(terms, rotation, translation)

    pose = rotation[None, None].astype(np.float32), translation[None, None].astype(np.float32)
    ours = np.asarray(found(tile.ref, tile.fit, *pose))[:, 0, 0].astype(np.float64)

    def value(step):
        turn = turned(step[:3])
        return at(which, ref, fit, turn @ rotation, turn @ translation + step[3:])

    here, steps = value(np.zeros(6)), STEP * np.eye(6)
    assert ours[VALUE] == pytest.approx(here, rel=1e-5)
    gradient = np.array([value(s) - value(-s) for s in steps]) / (2 * STEP)
    np.testing.assert_allclose(ours[GRADIENT], gradient, atol=1e-4 * max(1, here))
    hessian = np.array(
        [[value(s + t) - value(s - t) - value(t - s) + value(-s - t) for t in steps] for s in steps]
    )
    hessian /= 4 * STEP**2
    symmetric = ours[HESSIAN].reshape(6, 6)
    np.testing.assert_allclose(symmetric, hessian, atol=3e-3 * max(1, here))
