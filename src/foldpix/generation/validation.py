"""What is off in the geometry of peptides, measured with biotite."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from biotite.structure import AtomArray, connect_via_residue_names

from foldpix.generation.atom_table import AtomTable, check_members
from foldpix.generation.close_pairs import close_pairs
from foldpix.generation.covalent_geometry import PHI, PSI, QUANTITIES, deviations, measure
from foldpix.generation.ramachandran import is_allowed, residue_classes
from foldpix.generation.side_chain_bonds import SIDE_CHAIN_TOLERANCE, side_chain_deviations

#: Heavy atoms that are not bonded and share no neighbour come no closer, angstrom.
MIN_CONTACT = 2.2

#: Share of residues outside the regions of the Ramachandran plot from which on a batch is not protein-like:
#: five times that of real chains.
MAX_RAMACHANDRAN_SHARE = 0.05

#: Atoms measured at a time; it bounds the memory.
_BLOCK = 50_000


class Check(NamedTuple):
    """One quantity over all members and residues.

    Parameters
    ----------
    name, unit : str
    target, tolerance : float
        Further than the tolerance from the target is an outlier.
    mean, worst : float
        The mean value, and the one furthest from the target; NaN where there is none.
    num, num_outliers : int
    member, residue : int
        Where the worst is: the member from 0, and the residue from 0 over all chains; -1 if nowhere.
    max_share : float
        Share of outliers up to which all is well.
    """

    name: str
    unit: str
    target: float
    tolerance: float
    mean: float
    worst: float
    num: int
    num_outliers: int
    member: int
    residue: int
    max_share: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there are no more outliers than there may be."""
        return self.num_outliers <= self.max_share * self.num


@dataclass(frozen=True)
class Validation:
    """The checks of a batch; ``str`` is a table of them, with a mark before those that fail.

    Parameters
    ----------
    checks : tuple of Check
    residues : tuple of str
        What each residue is called in the table.
    """

    checks: tuple[Check, ...]
    residues: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all checks are."""
        return all(check.ok for check in self.checks)

    def __getitem__(self, name: str) -> Check:
        """The check of that name.

        Raises
        ------
        KeyError
            If there is none; it lists those there are.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"no check {name!r}; there are {', '.join(check.name for check in self.checks)}")

    def __str__(self) -> str:
        failed = [check.name for check in self.checks if not check.ok]
        verdict = f"off: {', '.join(failed)}" if failed else "all is well"
        head = f"  {'':28}{'target':>9}{'tolerance':>11}{'mean':>9}{'worst':>9}{'outliers':>20}  worst at"
        return "\n".join([verdict, head, *map(self._line, self.checks)])

    def _line(self, check: Check) -> str:
        name = f"{check.name} ({check.unit})" if check.unit else check.name
        numbers = f"{check.target:9.3f}{check.tolerance:11.3f}{check.mean:9.3f}{check.worst:9.3f}"
        outliers = f"{check.num_outliers} of {check.num}"
        where = f"member {check.member}, {self.residues[check.residue]}" if check.member >= 0 else ""
        return f"{' ' if check.ok else '!'} {name:28}{numbers}{outliers:>20}  {where}".rstrip()


def validate(table: AtomTable, coords: np.ndarray) -> Validation:
    """Measure bonds, angles, planarity, chirality, the Ramachandran plot and clashes.

    Targets are what chains are built with, the same for all residues; what lacks an atom is not measured.

    - ``peptide twist``: how far omega is from 180 or 0 degrees, whichever is nearer.
    - ``cis peptides``: omega nearer 0; not before proline, where they are natural.
    - ``chirality at CA``: the dihedral N-C-CA-CB, of D-residues that of the mirror image.
    - ``chirality at CB of ILE`` and ``THR``: CA-CG1-CB-CG2 and CA-OG1-CB-CG2, likewise.
    - ``side-chain bonds``: how much longer they are than in the templates that full-atom chains are built
      from; heavy atoms beyond CB.
    - ``Ramachandran``: residues outside the region of 99 in a hundred residues of real chains; the mean is
      their share.
    - ``clashes``: pairs of heavy atoms, within a chain or of two, that are not bonded and share no neighbour
      in the chemical component dictionary; the number of measurements is that of atoms.

    Parameters
    ----------
    table : AtomTable
    coords : ndarray, shape=(B, N, 3)
        Angstrom.

    Returns
    -------
    Validation

    Raises
    ------
    ValueError
        If there is no member, a coordinate is not finite, or a residue lacks N, CA or C.
    """
    check_members(coords)
    table.backbone_rows()
    heavy = np.flatnonzero(table.is_real & ~np.isin(table.elements, ("H", "D")))
    joined = _joined_pairs(table.atoms[~np.isin(table.atoms.element, ("H", "D"))])
    step = max(1, _BLOCK // coords.shape[1])
    blocks = []
    for first in range(0, len(coords), step):
        block = coords[first : first + step].astype(np.float64)
        clashes = _clashes(block[:, heavy], table.residue_of_atom[heavy], joined)
        blocks.append(
            [_at(check, first) for check in (*_covalent(table, block), _ramachandran(table, block), clashes)]
        )
    numbers = table.residue_indices[table.residue_starts].tolist()
    names = zip(table.residue_chains.tolist(), numbers, table.sequence, strict=True)
    residues = tuple(f"{chain} {number} {name}" for chain, number, name in names)
    return Validation(tuple(_merged(parts) for parts in zip(*blocks, strict=True)), residues)


def _covalent(table: AtomTable, coords: np.ndarray) -> Iterator[Check]:
    for quantity in QUANTITIES:
        deviation, residues = deviations(quantity, table, coords)
        yield _check(quantity.name, quantity.unit, quantity.target, quantity.tolerance, deviation, residues)
    yield _check("side-chain bonds", "A", 0.0, SIDE_CHAIN_TOLERANCE, *side_chain_deviations(table, coords))


def _ramachandran(table: AtomTable, coords: np.ndarray) -> Check:
    (phi, after), (psi, before) = (measure(atoms, table, coords) for atoms in (PHI, PSI))
    residues, of_phi, of_psi = np.intersect1d(after, before, assume_unique=True, return_indices=True)
    torsions = np.stack([phi[:, of_phi], psi[:, of_psi]], axis=-1)
    torsions = np.where(table.is_d[residues, None], -torsions, torsions)
    classes = residue_classes(np.array(table.sequence) == "GLY", table.is_proline)[residues]
    outside = ~is_allowed(torsions, classes)
    check = _check("Ramachandran", "", 0.0, 0.5, outside.astype(np.float64), residues)
    return check._replace(max_share=MAX_RAMACHANDRAN_SHARE)


def _check(
    name: str, unit: str, target: float, tolerance: float, deviation: np.ndarray, residues: np.ndarray
) -> Check:
    if deviation.size == 0:
        return Check(name, unit, target, tolerance, np.nan, np.nan, 0, 0, -1, -1)
    away = np.abs(deviation)
    member, column = (int(k) for k in np.unravel_index(np.argmax(away), away.shape))
    mean, worst = target + float(deviation.mean()), target + float(deviation[member, column])
    num_outliers = int((away > tolerance).sum())
    return Check(
        *(name, unit, target, tolerance, mean, worst, away.size, num_outliers),
        *(member, int(residues[column])),
    )


def _clashes(coords: np.ndarray, residue_of_atom: np.ndarray, joined: np.ndarray) -> Check:
    """Of heavy atoms (B, n, 3); `joined` are the pairs that may be near, as first * n + second, sorted."""
    member, first, second, distance = close_pairs(coords, MIN_CONTACT)
    clashing = ~np.isin(first * coords.shape[1] + second, joined)
    num, num_clashes = coords.shape[0] * coords.shape[1], int(clashing.sum())
    check = Check("clashes", "A", MIN_CONTACT, 0.0, np.nan, np.nan, num, num_clashes, -1, -1)
    if num_clashes == 0:
        return check
    worst = np.flatnonzero(clashing)[np.argmin(distance[clashing])]
    residue = int(residue_of_atom[first[worst]])
    return check._replace(worst=float(distance[worst]), member=int(member[worst]), residue=residue)


def _joined_pairs(atoms: AtomArray) -> np.ndarray:
    """Pairs of atoms that are bonded or share a neighbour, as first * n + second."""
    bonds = connect_via_residue_names(atoms)
    neighbours, _ = bonds.get_all_bonds()
    pairs = [bonds.as_array()[:, :2].astype(np.int64)]
    for a in range(neighbours.shape[1]):
        for b in range(a):
            both = neighbours[:, [a, b]]
            pairs.append(both[(both >= 0).all(axis=1)])
    joined = np.sort(np.concatenate(pairs), axis=1)
    return np.unique(joined[:, 0] * len(atoms) + joined[:, 1])


def _at(check: Check, first: int) -> Check:
    """The check of a block whose first member has another number."""
    return check if check.member < 0 else check._replace(member=check.member + first)


def _merged(parts: Sequence[Check]) -> Check:
    """One check of those of blocks of members."""
    num = sum(part.num for part in parts)
    away = [-1.0 if np.isnan(part.worst) else abs(part.worst - part.target) for part in parts]
    worst = parts[int(np.argmax(away))]
    mean = sum(part.mean * part.num for part in parts) / num if num else np.nan
    return worst._replace(mean=mean, num=num, num_outliers=sum(part.num_outliers for part in parts))
