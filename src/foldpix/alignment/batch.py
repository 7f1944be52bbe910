"""Many pairs of molecules at once."""

from collections.abc import Sequence

import numpy as np

from foldpix.alignment.methods import AlignmentMethods
from foldpix.alignment.modes import Mode
from foldpix.alignment.pair import MoleculePair
from foldpix.alignment.pair_alignment import Search, align_pairs

_Coords = list[np.ndarray]


class MoleculePairBatch(AlignmentMethods[tuple[np.ndarray, _Coords], tuple[np.ndarray, _Coords, _Coords]]):
    """Pairs that are aligned together.

    Each method ``align_with_*`` returns the scores, float64 of shape (P,), and a list of the fits' points
    on their references; for pharmacophores lists of anchors and vectors. Each pair keeps its result, too.
    A pair that cannot be aligned has a score of NaN, its points where they were, and a status; it leaves the
    others alone.

    Parameters
    ----------
    pairs : sequence of MoleculePair
        Pairs that share a `Molecule` prepare it once.

    Attributes
    ----------
    pairs : list of MoleculePair
    statuses : list of str
        Of the last alignment: "ok", or why there is no pose.
    """

    def __init__(self, pairs: Sequence[MoleculePair]) -> None:
        self.pairs = list(pairs)
        self.statuses: list[str] = []

    def __len__(self) -> int:
        return len(self.pairs)

    def _align(self, mode: Mode, search: Search) -> tuple[np.ndarray, _Coords]:
        results = align_pairs(self.pairs, mode, search)
        for pair, result in zip(self.pairs, results, strict=True):
            pair.results[mode.key] = result
        self.statuses = [result.status for result in results]
        scores = np.array([result.score for result in results], dtype=np.float64)
        return scores, [result.aligned for result in results]

    def _align_features(self, mode: Mode, search: Search) -> tuple[np.ndarray, _Coords, _Coords]:
        scores, anchors = self._align(mode, search)
        return scores, anchors, [pair.results[mode.key].aligned_vectors for pair in self.pairs]
