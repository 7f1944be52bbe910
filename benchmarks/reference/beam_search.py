"""The search for a chain code as one would write it down: NumPy, all partial chains by all steps at once."""

import numpy as np

from foldpix.chain_code.codebook import Codebook
from foldpix.chain_code.frames import carbonyl_frames


def encode(coords: np.ndarray, codebook: Codebook, num_beams: int) -> np.ndarray:
    """The codes (L,) of an unbroken backbone (L, 3, 3)."""
    coords = coords.astype(np.float64)
    steps_K9 = codebook.steps.astype(np.float64).reshape(-1, 9)
    origin, axes = carbonyl_frames(coords[:1])
    own = (coords[0] - origin[0]) @ axes[0].T
    first = np.square(codebook.shapes - own).sum(axis=(1, 2))
    codes = np.argmin(first)[None, None]  # (B, i)
    costs, origins_B3, axes_B33 = np.min(first)[None], origin, axes
    for atoms in coords[1:]:
        seen_B9 = np.einsum("bij,baj->bai", axes_B33, atoms - origins_B3[:, None]).reshape(-1, 9)
        squared_BK = (
            np.square(steps_K9).sum(axis=1)
            - 2 * seen_B9 @ steps_K9.T
            + np.square(seen_B9).sum(axis=1)[:, None]
        )
        total = (costs[:, None] + squared_BK).ravel()
        best = np.argsort(total, kind="stable")[:num_beams]
        parents, chosen = np.divmod(best, len(codebook))
        costs = total[best]
        codes = np.concatenate([codes[parents], chosen[:, None]], axis=1)
        origins_B3 = origins_B3[parents] + np.einsum("bi,bij->bj", codebook.shifts[chosen], axes_B33[parents])
        axes_B33 = codebook.turns[chosen] @ axes_B33[parents]
    return codes[0]


def decode(codes: np.ndarray, codebook: Codebook) -> np.ndarray:
    """N, CA, C (L, 3, 3) of codes, residue by residue."""
    origin, axes, residues = np.zeros(3), np.eye(3), []
    for i, code in enumerate(codes):
        if i > 0:
            origin = origin + codebook.shifts[code] @ axes
            axes = codebook.turns[code] @ axes
        residues.append(origin + codebook.shapes[code] @ axes)
    return np.stack(residues)
