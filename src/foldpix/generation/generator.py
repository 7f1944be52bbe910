"""Many conformations of one sequence at once."""

import secrets
from typing import Any

import numpy as np

from foldpix.generation.checks import whole_number
from foldpix.generation.draws import check_seed
from foldpix.generation.folding import fold
from foldpix.generation.laws import TorsionLaws, laws_of
from foldpix.generation.packing import pack_side_chains
from foldpix.generation.peptide import BatchedPeptide
from foldpix.generation.rotamers import draw_chi
from foldpix.generation.sampling import draw_torsions
from foldpix.generation.sequence import chain_id, is_d, parse_sequence
from foldpix.generation.sidechains import FullAtomLayout, full_atom_layout, place_side_chains
from foldpix.generation.walk import WALK_ATOMS, walk

#: Least distance between the atoms of one chain and the walk's atoms of the next, angstrom: longer than two
#: side chains that point at one another.
CHAIN_GAP = 20.0


class BatchedGenerator:
    """Builds conformations of one sequence from torsions, all members in one pass.

    Parameters
    ----------
    sequence_str : str
        Such as ``"ACDEF"``, ``"ALA-GLY-SER"`` or ``"ALA-D-ALA-ALA"``; a colon parts chains. See
        :func:`foldpix.generation.sequence.parse_sequence`.
    n_batch : int
        Members of a batch.
    full_atom : bool
        All atoms, hydrogens too, with side chains in common rotamers; else N, CA, C, O and CB.

    Attributes
    ----------
    chain_sequences : list of list of str
        Residue names of each chain.
    sequence : list of str
        Residue names, all chains one after the other.
    n_res, total_atoms : int
    atom_names, atom_chain_ids : list of str
    residue_indices : list of int
        Of each atom; residues are numbered from 1 in every chain.
    offsets, chain_start_indices : list of int
        First atom of each residue, first residue of each chain.

    Raises
    ------
    ValueError
        If the sequence cannot be built, or `n_batch` is no number of members.
    """

    def __init__(self, sequence_str: str, n_batch: int = 1, full_atom: bool = False) -> None:
        self._chains = parse_sequence(sequence_str)
        self.n_batch, self.full_atom = whole_number("n_batch", n_batch, 1), full_atom
        self.chain_sequences = [list(chain) for chain in self._chains]
        self.sequence = [name for chain in self._chains for name in chain]
        self.n_res = len(self.sequence)
        self._layout = full_atom_layout(self._chains) if full_atom else None
        self._is_d = np.array([is_d(name) for name in self.sequence])
        self._has_cb = np.array([name != "GLY" for name in self.sequence])
        self._atoms = _all_atoms(self._layout) if self._layout else self._walk_atoms()
        self.atom_names: list[str] = self._atoms["atom_names"].tolist()
        self.atom_chain_ids: list[str] = self._atoms["atom_chain_ids"].tolist()
        self.residue_indices: list[int] = self._atoms["residue_indices"].tolist()
        self.total_atoms = len(self.atom_names)
        self.offsets = [atom for atom, name in enumerate(self.atom_names) if name == "N"]
        self.chain_start_indices = [chain.start for chain in self._slices()]

    def generate_batch(
        self,
        seed: int | None = None,
        conformation: Any = "alpha",
        drift: float = 0.0,
        *,
        start: int = 0,
        compact: bool = False,
        avoid_clashes: bool | None = None,
        cis_proline: float = 0.0,
        dtype: Any = None,
        out: np.ndarray | None = None,
    ) -> BatchedPeptide:
        """Build a batch.

        Parameters
        ----------
        seed : int, optional
            0 to 2**64 - 1. Member k depends on (seed, k) and the other arguments alone, whatever the size of
            the batch. Without one a seed is made up; the batch tells which. Global random states are
            neither used nor touched.
        conformation : str, list of str, or array
            What the torsions are, see :func:`foldpix.generation.laws.laws_of`: the name of an ideal
            conformation ("alpha", "beta", "ppii", ...) or of one that is drawn ("random": coil, "domain":
            helices, strands, turns and coils of natural lengths), a letter for each residue ("HHHHTTEEEE"),
            a list with one of these for each member, or phi, psi, omega in radian, (L, 3) or (B, L, 3).
        drift : float
            Standard deviation (degrees) that phi and psi get on top; omega then gets 2 degrees.
        start : int
            Number of the first member: batches of one seed continue each other.
        compact : bool
            Fold each chain to the radius of gyration of a protein domain, 2.2 L**0.38 A, by turning its
            coils; only for conformations that are drawn.
        avoid_clashes : bool, optional
            Redraw torsions until no atoms of the backbone clash; by default for members whose conformation is
            drawn, not where it is given. Side chains take rotamers that clash least, unless this is False.
            What clashes all the same is counted in ``num_clashes``: pairs of backbone atoms, and side chains.
        cis_proline : float
            Share of cis among peptide bonds before proline, where they are not given.
        dtype : float32 or float64, optional
            float32 by default.
        out : ndarray, shape=(B, N, 3), optional
            C-contiguous; takes the coordinates, and decides the dtype.

        Returns
        -------
        BatchedPeptide
            Coordinates in angstrom. The first N is at the origin, its CA on the x axis, C in the xy plane;
            each further chain lies beyond the one before in x, at least 20 A away.

        Raises
        ------
        ValueError
            If an argument is out of range or does not fit the sequence.
        """
        seed = secrets.randbits(63) if seed is None else seed
        check_seed(seed)
        first = whole_number("start", start, 0, 2**63 - 1 - self.n_batch)
        members = np.arange(first, first + self.n_batch)
        coords = self._destination(dtype, out)
        laws, labels = laws_of(conformation, self._chains, seed, members, drift, cis_proline)
        to_fold = _to_fold(laws, self.n_batch, compact, avoid_clashes)
        torsions = draw_torsions(laws, seed, members, coords.dtype)
        num_clashes = None
        if to_fold.any():
            torsions, num_clashes = self._folded(torsions, laws, labels, seed, members, compact, to_fold)
        if self._layout is None:
            self._build(torsions, coords)
        elif avoid_clashes is False:
            backbone, chi = self._backbone(torsions, coords.dtype), draw_chi(self.sequence, seed, members)
            place_side_chains(backbone, self._layout, chi, coords)
        else:
            backbone, names = self._backbone(torsions, coords.dtype), tuple(self.sequence)
            _, clashing = pack_side_chains(backbone, self._layout, names, seed, members, coords)
            num_clashes = clashing if num_clashes is None else num_clashes + clashing
        made: dict[str, Any] = {"torsions": torsions, "labels": labels, "seed": seed, "members": members}
        return BatchedPeptide(coords, self.sequence, **self._atoms, **made, num_clashes=num_clashes)

    def _destination(self, dtype: Any, out: np.ndarray | None) -> np.ndarray:
        shape = (self.n_batch, self.total_atoms, 3)
        if out is None:
            return np.empty(shape, dtype=_float_type(np.float32 if dtype is None else dtype))
        if not isinstance(out, np.ndarray) or out.shape != shape:
            raise ValueError(f"out has shape {np.shape(out)}; it must be an array of shape {shape}")
        if dtype is not None and out.dtype != _float_type(dtype):
            raise ValueError(f"out is {out.dtype} and dtype={np.dtype(dtype)}; give one of the two")
        if not (out.flags.c_contiguous and out.flags.writeable):
            raise ValueError("out is not C-contiguous, or read-only; give np.empty(...)")
        _float_type(out.dtype)
        return out

    def _slices(self) -> list[slice]:
        """The residues of each chain."""
        ends = np.cumsum([len(chain) for chain in self._chains])
        return [slice(end - len(chain), end) for chain, end in zip(self._chains, ends, strict=True)]

    def _folded(
        self,
        torsions: np.ndarray,
        laws: TorsionLaws,
        labels: list[str],
        seed: int,
        members: np.ndarray,
        compact: bool,
        to_fold: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Torsions with those members folded, and how many pairs clash all the same in each of them."""
        torsions, num_clashes = np.array(torsions), np.zeros(len(members), dtype=np.int64)
        rows = np.flatnonzero(to_fold)
        which = laws.which if len(laws.which) == 1 else laws.which[rows]
        for number, chain in enumerate(self._slices()):
            folded = fold(
                torsions[rows, chain],
                laws._replace(which=which[:, chain]),
                np.full(len(rows), chain.stop - chain.start),
                self._is_d[chain],
                self._has_cb[chain],
                [labels[row][chain] for row in rows],
                seed,
                members[rows],
                compact,
                number,
            )
            torsions[rows, chain] = folded.torsions
            num_clashes[rows] += folded.num_clashes
        return torsions, num_clashes

    def _build(self, torsions: np.ndarray, coords: np.ndarray) -> None:
        num = 1 if torsions.strides[0] == 0 else len(coords)  # members that are all alike are built once
        backbone = coords.reshape(len(coords), self.n_res, len(WALK_ATOMS), 3)
        self._walk(torsions[:num], backbone[:num])
        coords[num:] = coords[:1]

    def _backbone(self, torsions: np.ndarray, dtype: Any) -> np.ndarray:
        backbone = np.empty((len(torsions), self.n_res, len(WALK_ATOMS), 3), dtype=dtype)
        self._walk(torsions, backbone)
        return backbone

    def _walk(self, torsions: np.ndarray, out: np.ndarray) -> None:
        """N, CA, C, O, CB of all chains, side by side along x."""
        if len(self._chains) == 1:
            walk(torsions, self._is_d, out)
            return
        end = np.zeros(len(out), dtype=out.dtype)
        for chain in self._slices():
            part = np.empty((len(out), chain.stop - chain.start, *out.shape[2:]), dtype=out.dtype)
            walk(torsions[:, chain], self._is_d[chain], part)
            if chain.start > 0:
                part[..., 0] += (end + CHAIN_GAP - part[..., 0].min(axis=(1, 2)))[:, None, None]
            end = part[..., 0].max(axis=(1, 2))
            out[:, chain] = part

    def _walk_atoms(self) -> dict[str, Any]:
        """What a BatchedPeptide wants to know of its atoms."""
        num = len(WALK_ATOMS)
        mask_LA = np.ones((self.n_res, num), dtype=bool)
        mask_LA[:, WALK_ATOMS.index("CB")] = self._has_cb
        numbers = [np.arange(1, len(chain) + 1) for chain in self._chains]
        ids = [np.full(len(chain), chain_id(number)) for number, chain in enumerate(self._chains)]
        return {
            "atom_names": np.tile(WALK_ATOMS, self.n_res),
            "residue_indices": np.repeat(np.concatenate(numbers), num),
            "atom_chain_ids": np.repeat(np.concatenate(ids), num),
            "atom_mask": mask_LA.ravel(),
        }


def _all_atoms(layout: FullAtomLayout) -> dict[str, Any]:
    return {
        "atom_names": np.array(layout.atom_names),
        "residue_indices": layout.number_N,
        "atom_chain_ids": np.array([chain_id(number) for number in layout.chain_N]),
    }


def _to_fold(laws: TorsionLaws, num: int, compact: bool, avoid_clashes: bool | None) -> np.ndarray:
    """Members whose torsions are redrawn until nothing clashes: ndarray of bool, shape=(B,)."""
    is_drawn = np.broadcast_to(np.isfinite(laws.cutoff), num)
    if compact and avoid_clashes is False:
        raise ValueError("compact=True and avoid_clashes=False exclude each other; leave one out")
    if compact and not is_drawn.all():
        raise ValueError(
            "compact=True cannot fold torsions that are given; draw them: conformation='domain', 'random' or "
            "letters such as 'HHHHTTEEEE'"
        )
    if avoid_clashes and not laws.spread.any():
        raise ValueError("avoid_clashes=True cannot redraw torsions that are given exactly; add drift=")
    return np.full(num, avoid_clashes) if avoid_clashes is not None else is_drawn


def _float_type(dtype: Any) -> np.dtype:
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype {dtype!r} is not float32 or float64")
    return found
