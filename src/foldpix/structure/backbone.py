"""The backbone of one polypeptide chain."""

from dataclasses import dataclass

import numpy as np

#: The longest C-N distance that counts as a peptide bond, angstrom. A bond is 1.33; a missing residue
#: leaves 3 or more.
MAX_PEPTIDE_BOND = 2.0


@dataclass(frozen=True)
class Backbone:
    """N, CA and C of one chain in one model.

    Parameters
    ----------
    coords : ndarray, dtype=float32, shape=(L, 3, 3)
        N, CA, C of each residue in angstrom; any real array is converted.
    sequence : str
        L one-letter codes, X for what is none of the twenty.
    name : str
        The file's stem, or another name of the structure.
    chain : str
        Author chain id.
    model : int
        Number of the model in its file, from 1.
    num_dropped : int
        Residues of the chain that lacked N, CA or C and are not in `coords`.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """

    coords: np.ndarray
    sequence: str
    name: str = ""
    chain: str = ""
    model: int = 1
    num_dropped: int = 0

    def __post_init__(self) -> None:
        coords = np.asarray(self.coords, dtype=np.float32)
        if coords.ndim != 3 or coords.shape[1:] != (3, 3) or len(coords) == 0:
            raise ValueError(
                f"coords have shape {coords.shape}; a backbone needs (L, 3, 3) with L of 1 or more"
            )
        if len(self.sequence) != len(coords):
            raise ValueError(
                f"the sequence has {len(self.sequence)} letters and coords have {len(coords)} residues; "
                "they must be equally many"
            )
        object.__setattr__(self, "coords", coords)

    def __len__(self) -> int:
        return len(self.coords)

    @property
    def chain_breaks(self) -> np.ndarray:
        """Residues i whose C is more than 2.0 angstrom from N of i + 1; ndarray of int, shape (n,)."""
        gap = np.linalg.norm(self.coords[1:, 0] - self.coords[:-1, 2], axis=-1)
        return np.flatnonzero(~(gap <= MAX_PEPTIDE_BOND))
