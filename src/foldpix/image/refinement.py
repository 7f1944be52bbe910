"""The most likely backbone: free atoms under an image and the geometry of peptides."""

from typing import Any

from array_api_compat import array_namespace

from foldpix.geometry import Bonds
from foldpix.image.likelihood import Misfit, evidence, misfit
from foldpix.image.normal_equations import gauss_newton_step
from foldpix.image.views import Views

_ROUNDS = 14
# No coordinate changes more in a round, angstrom, and a chain is done when none changes more than this.
_LONGEST_STEP, _DONE = 2.0, 0.003
# The geometry is soft at first, by this part of the spread of distances, and twice as hard every round.
_SOFTNESS = 0.2
# How much worse the image may fit in the end, in the logarithm of the likelihood of a pair times residues:
# hard geometry takes about four degrees of freedom a residue, which makes 2.4; odd residues take some.
_SLACK = 20.0


def refine(coords: Any, found: Misfit, views: Views, known: Any, bonds: Bonds) -> Any:
    """Coordinates (..., L, 3, 3) nearer to the truth than those they start from, whose misfit is ``found``.

    Each round solves the block tridiagonal part of the normal equations. As every residue is held by all
    others, what it leaves out is little. The spreads of the image are those that the present backbone leaves;
    the geometry tightens round by round. A chain whose image fits notably worse in the end stays as it was.
    """
    xp = array_namespace(coords)
    start, least = coords, evidence(found) - _SLACK / xp.sum(views.mask, axis=-1)
    active = xp.ones_like(least) > 0
    for number in range(_ROUNDS):
        softness = found.distance * (_SOFTNESS * 0.5**number)
        shift = gauss_newton_step(coords, found, views, bonds, softness)
        longest = xp.max(xp.abs(shift), axis=(-3, -2, -1))
        part = xp.where(active, xp.clip(_LONGEST_STEP / xp.clip(longest, 1e-6, None), None, 1.0), 0.0)
        coords = coords + shift * part[..., None, None, None]
        found = misfit(coords, views, known)
        active = active & ((longest > _DONE) | (softness > _DONE))
        if not bool(xp.any(active)):
            break
    better = evidence(found) >= least
    return xp.where(better[..., None, None, None], coords, start)
