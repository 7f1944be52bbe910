"""Pairs of entries to overlays, a block at a time."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from foldpix.alignment import Alignment
from foldpix.jobs.align_inputs import NUM_SURFACE_POINTS, EntryPair
from foldpix.jobs.schema.align import Method, Overlap

# Weight of charges, in e²: the values that shepherd-score gives as typical, for atoms and for surfaces.
_LAM_ATOMS, _LAM_SURFACE = 0.1, 0.3


class Overlay(Protocol):
    """Lays items on their references."""

    def __call__(self, refs: Sequence, fits: Sequence) -> Alignment:
        """As many of both."""


def overlay_pairs(pairs: Sequence[EntryPair], overlay: Overlay) -> Alignment:
    """Overlays of pairs; those that hold what could not be read say so."""
    good = [k for k, pair in enumerate(pairs) if not pair.error]
    found = overlay([pairs[k].ref.item for k in good], [pairs[k].fit.item for k in good])
    statuses = np.array([pair.error for pair in pairs], dtype=object)
    statuses[good] = found.statuses
    columns = {"transforms": np.tile(np.eye(4), (len(pairs), 1, 1)), "statuses": statuses.astype(str)}
    for name, values in vars(found).items():
        if name not in columns:
            columns[name] = np.full(len(pairs), np.nan if values.dtype.kind == "f" else 0, values.dtype)
            columns[name][good] = values
    columns["transforms"][good] = found.transforms
    return type(found)(**columns)


def overlay_of_molecules(overlap: Overlap, search: Method) -> Overlay:
    """Overlays of molecules."""
    from foldpix.alignment.batch import MoleculePairBatch
    from foldpix.alignment.pair import MoleculePair
    from foldpix.alignment.surfaces import surface_alpha

    alpha = surface_alpha(NUM_SURFACE_POINTS)
    ways: dict[Overlap, tuple[str, Callable[..., Any], tuple[float, ...]]] = {
        Overlap.volume: ("vol_noH", MoleculePairBatch.align_with_vol, ()),
        Overlap.charges: ("vol_esp_noH", MoleculePairBatch.align_with_vol_esp, (_LAM_ATOMS,)),
        Overlap.surface: ("surf", MoleculePairBatch.align_with_surf, (alpha,)),
        Overlap.surface_charges: ("esp", MoleculePairBatch.align_with_esp, (alpha, _LAM_SURFACE)),
        Overlap.pharmacophore: ("pharm", MoleculePairBatch.align_with_pharm, ()),
    }
    key, method, arguments = ways[overlap]

    def overlay(refs: Sequence, fits: Sequence) -> Alignment:
        batch = MoleculePairBatch([MoleculePair(*pair) for pair in zip(refs, fits, strict=True)])
        method(batch, *arguments, num_workers=len(jax.local_devices()), method=search.name)
        results = [pair.results[key] for pair in batch.pairs]
        return Alignment(
            np.array([result.transform for result in results]).reshape(-1, 4, 4),
            np.array([result.score for result in results], np.float64),
            np.array([result.status for result in results], dtype=str),
        )

    return overlay
