"""The compiled searches: a block of padded pairs in, poses and overlaps out, spread over devices."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from foldpix.alignment import adam, newton
from foldpix.alignment.moments import Terms, make_terms, values
from foldpix.alignment.overlaps import Points


class Settings(NamedTuple):
    """Numbers that compiled functions take as arguments: none makes another function."""

    alpha: Any
    lam: Any
    lr: Any
    max_num_steps: Any


class Found(NamedTuple):
    """Poses (B, K, 7), best first, their overlaps (B, K), and those of clouds with themselves (B,)."""

    poses: Any
    overlaps: Any
    ref_overlaps: Any
    fit_overlaps: Any


Search = Callable[[Points, Points, Any, Settings], Found]


@cache
def compiled(method: str, guided: bool, num_best: int, devices: tuple[jax.Device, ...]) -> Search:
    """The search by a method, for blocks whose number of pairs the number of devices divides.

    Shapes of blocks are few (`foldpix.alignment.tiles`), and each is compiled once.
    """
    mesh = Mesh(np.array(devices), ("pairs",))
    one = partial(_newton, guided) if method == "newton" else _adam
    pairs = PartitionSpec("pairs")

    def search(ref: Points, fit: Points, starts: Any, settings: Settings) -> Found:
        terms = make_terms(ref, fit, settings.alpha, settings.lam)
        ref_self = _with_itself(ref, settings)
        fit_self = _with_itself(fit, settings)
        poses, overlaps = one(terms, starts, settings, ref_self + fit_self)
        return Found(*newton.best(poses, overlaps, num_best), ref_self, fit_self)

    in_specs = (pairs, pairs, pairs, PartitionSpec())
    return jax.jit(jax.shard_map(search, mesh=mesh, in_specs=in_specs, out_specs=pairs, check_vma=False))


def _newton(guided: bool, terms: Terms, poses: Any, settings: Settings, both_self: Any) -> tuple[Any, Any]:
    del both_self  # every similarity grows with the overlap
    return newton.climb_best(terms, poses, settings.max_num_steps, guided)


def _adam(terms: Terms, poses: Any, settings: Settings, both_self: Any) -> tuple[Any, Any]:
    total = both_self[:, None]
    return adam.descend(
        terms, poses, lambda overlap: total / (total - overlap) ** 2, settings.lr, settings.max_num_steps
    )


def _with_itself(cloud: Points, settings: Settings) -> Any:
    terms = make_terms(cloud, cloud, settings.alpha, settings.lam)
    rotation = jnp.broadcast_to(jnp.eye(3), (len(cloud.points), 1, 3, 3))
    return values(terms, rotation, jnp.zeros((len(cloud.points), 1, 3)))[:, 0]
