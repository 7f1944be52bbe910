"""Chains of different sequences and lengths in one padded batch."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foldpix.generation.checks import whole_number
from foldpix.generation.draws import check_seed
from foldpix.generation.ensemble import radius_of_gyration
from foldpix.generation.folding import fold
from foldpix.generation.laws import TorsionLaws, ragged_laws
from foldpix.generation.sampling import draw_torsions
from foldpix.generation.sequence import NAME_OF_LETTER
from foldpix.generation.walk import WALK_ATOMS, walk
from foldpix.structure import Backbone


@dataclass(frozen=True)
class RaggedPeptides:
    """B single chains, padded to the longest.

    Parameters
    ----------
    coords : ndarray, dtype=float32, shape=(B, L, 5, 3)
        N, CA, C, O, CB in angstrom; 0 behind the end of a chain. C-contiguous, so that PyTorch and JAX can
        share the memory (``torch.from_dlpack(peptides.coords)``).
    mask : ndarray of bool, shape=(B, L)
        The residues of each chain.
    atom_mask : ndarray of bool, shape=(B, L, 5)
        The atoms: glycine's virtual CB is none.
    torsions : ndarray, shape=(B, L, 3)
        phi, psi, omega in radian; 0 behind the end.
    sequences, labels : tuple of str
        One-letter sequence and secondary structure of each chain, as long as it is.
    num_clashes : ndarray of int, shape=(B,)
        Pairs of atoms that are too near, counted where the conformation is drawn; 0 in nearly all.
    seed : int
    members : ndarray of int, shape=(B,)
        What the chains depend on, beside the arguments.
    """

    coords: np.ndarray
    mask: np.ndarray
    atom_mask: np.ndarray
    torsions: np.ndarray
    sequences: tuple[str, ...]
    labels: tuple[str, ...]
    num_clashes: np.ndarray
    seed: int
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.coords)

    def radius_of_gyration(self) -> np.ndarray:
        """Of the CA atoms of each chain, angstrom, dtype=float64, shape=(B,)."""
        return np.array(
            [
                radius_of_gyration(coords[None, mask, 1])[0]
                for coords, mask in zip(self.coords, self.mask, strict=True)
            ]
        )

    def to_backbones(self) -> list[Backbone]:
        """Each chain without its padding, named by its number."""
        return [
            Backbone(
                coords[: len(sequence), :3].copy(), sequence.replace("U", "X"), f"chain_{member:06d}", "A"
            )
            for coords, sequence, member in zip(self.coords, self.sequences, self.members, strict=True)
        ]


def generate_ragged(
    sequences: Sequence[str],
    seed: int | None = None,
    conformation: str | Sequence[str] = "domain",
    drift: float = 0.0,
    *,
    start: int = 0,
    compact: bool = False,
    cis_proline: float = 0.0,
) -> RaggedPeptides:
    """Build one chain for each sequence.

    Parameters
    ----------
    sequences : sequence of str
        One-letter codes, L-residues only.
    conformation : str or sequence of str
        For all chains, or for each: a name, or a letter a residue; those of
        :meth:`foldpix.generation.BatchedGenerator.generate_batch`, as are the other arguments. Clashes are
        resolved where the conformation is drawn.

    Raises
    ------
    ValueError
        If a sequence cannot be built, or an argument does not fit.
    """
    seed = secrets.randbits(63) if seed is None else seed
    check_seed(seed)
    if isinstance(sequences, str) or not isinstance(sequences, Sequence):
        raise ValueError(f"sequences={sequences!r}; give a list of them, such as ['ACDEF', 'GGA']")
    if not isinstance(conformation, str | list | tuple):
        raise ValueError(f"conformation {conformation!r} is no name, letters or list of those")
    upper = [_checked(sequence, number) for number, sequence in enumerate(sequences)]
    if not upper:
        raise ValueError("no sequences; give at least one")
    first = whole_number("start", start, 0, 2**63 - 1 - len(upper))
    members = np.arange(first, first + len(upper))
    return build_ragged(upper, seed, members, conformation, drift, compact, cis_proline)


def build_ragged(
    sequences: Sequence[str],
    seed: int,
    members: np.ndarray,
    conformation: str | Sequence[str] = "domain",
    drift: float = 0.0,
    compact: bool = False,
    cis_proline: float = 0.0,
) -> RaggedPeptides:
    """As :func:`generate_ragged`, for sequences that are right and members of any numbers."""
    laws, labels = ragged_laws(conformation, sequences, seed, members, drift, cis_proline)
    lengths = np.array([len(sequence) for sequence in sequences])
    if compact and not np.isfinite(laws.cutoff).all():
        raise ValueError(f"compact=True cannot fold conformation={conformation!r}, whose torsions are given")
    has_cb = np.array([list(sequence.ljust(lengths.max())) for sequence in sequences]) != "G"
    torsions, num_clashes = _torsions(laws, labels, lengths, has_cb, seed, members, compact)
    mask = np.arange(lengths.max()) < lengths[:, None]
    atom_mask = np.repeat(mask[..., None], len(WALK_ATOMS), axis=-1)
    atom_mask[..., WALK_ATOMS.index("CB")] &= has_cb
    coords = np.empty((*torsions.shape[:2], len(WALK_ATOMS), 3), dtype=np.float32)
    walk(torsions, np.zeros(lengths.max(), dtype=bool), coords)
    coords[~mask] = 0.0
    return RaggedPeptides(
        coords=coords,
        mask=mask,
        atom_mask=atom_mask,
        torsions=torsions * mask[..., None],
        sequences=tuple(sequences),
        labels=tuple(labels),
        num_clashes=num_clashes,
        seed=seed,
        members=members,
    )


def _torsions(
    laws: TorsionLaws,
    labels: list[str],
    lengths: np.ndarray,
    has_cb: np.ndarray,
    seed: int,
    members: np.ndarray,
    compact: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Torsions of each chain, folded where they are drawn, and the pairs of atoms that clash all the same."""
    torsions, num_clashes = (
        np.array(draw_torsions(laws, seed, members)),
        np.zeros(len(members), dtype=np.int64),
    )
    rows = np.flatnonzero(np.isfinite(laws.cutoff))
    if len(rows):
        own, is_d = laws._replace(which=laws.which[rows]), np.zeros(torsions.shape[1], dtype=bool)
        own_labels = [labels[row] for row in rows]
        folded = fold(
            torsions[rows], own, lengths[rows], is_d, has_cb[rows], own_labels, seed, members[rows], compact
        )
        torsions[rows], num_clashes[rows] = folded.torsions, folded.num_clashes
    return torsions, num_clashes


def _checked(sequence: str, number: int) -> str:
    """The sequence in upper case."""
    if not isinstance(sequence, str) or not sequence:
        raise ValueError(f"sequence {number} is {sequence!r}; give one-letter codes, such as 'ACDEF'")
    unknown = sorted(set(sequence) - set("".join(NAME_OF_LETTER) + "".join(NAME_OF_LETTER).lower()))
    if unknown:
        known = "".join(NAME_OF_LETTER)
        raise ValueError(f"unknown residue {unknown[0]!r} in sequence {number}; known are {known}")
    return sequence.upper()
