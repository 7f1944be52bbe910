"""Writes src/foldpix/generation/rotamers.json: how often side chains take which dihedrals.

    python -m scripts.generation.fit_rotamers FOLDER

FOLDER holds PDB files of experimental chains with all their atoms. The dihedrals of a side chain are sorted
into bins, whatever the backbone: 120 degrees wide about a bond of two tetrahedral atoms, 60 about a bond to a
flat group, over half a turn where its two sides are alike. A rotamer is a bin of all dihedrals together: its
share of the residues, and mean and standard deviation of each dihedral in it.
"""

import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from biotite.structure import AtomArray, BadStructureError, dihedral_side_chain, get_residue_starts
from biotite.structure.io.pdb import PDBFile

from foldpix.structure.residues import ONE_LETTER
from scripts.generation.proline import ring_atoms

TARGET = Path(__file__).parents[2] / "src/foldpix/generation/rotamers.json"

NUM_CHI = {
    name: number
    for number, names in enumerate(
        ("CYS SER THR VAL", "ASN ASP HIS ILE LEU PHE PRO TRP TYR", "GLN GLU MET", "ARG LYS"), start=1
    )
    for name in names.split()
}
#: Residues whose last dihedral turns a flat group, and an angle in degrees between its bins: carboxylates and
#: amides are frequent at 0, rings at 90.
FLAT = {"ASN": -30, "ASP": -30, "GLN": -30, "GLU": -30, "HIS": 0, "PHE": 0, "TRP": 0, "TYR": 0}
#: Those of which half a turn makes no difference.
ALIKE = {"ASP", "GLU", "PHE", "TYR"}
#: Atoms that vibrate more tell little about dihedrals: largest B-factor, angstrom squared.
MAX_B_FACTOR = 40.0
#: Rarer rotamers are left out.
MIN_SHARE = 0.002


def main() -> None:
    folder = sorted(Path(sys.argv[1]).glob("*.pdb"))
    chi = defaultdict(list)
    num_chains = 0
    for atoms in well_defined_chains(folder):
        num_chains += 1
        for name, angles in side_chains(atoms):
            chi[name].append(angles)
    rows = {name: rotamers(name, np.array(chi[name])) for name in sorted(NUM_CHI)}
    source = f"{num_chains} experimental chains, {sum(map(len, chi.values()))} side chains"
    write(f"{source}; scripts/generation/fit_rotamers.py", rows)
    for name, table in rows.items():
        print(name, len(chi[name]), "side chains,", len(table), "rotamers")


def well_defined_chains(paths: Iterable[Path]) -> Iterator[AtomArray]:
    for path in paths:
        try:
            atoms = PDBFile.read(path).get_structure(model=1, extra_fields=["b_factor", "occupancy"])
        except (ValueError, BadStructureError) as error:
            print(path.name, "left out:", error)
        else:
            yield atoms


def side_chains(atoms: AtomArray) -> Iterator[tuple[str, np.ndarray]]:
    """Name and dihedrals in degrees of each side chain with all its dihedrals and no vague atom."""
    starts = get_residue_starts(atoms)
    vague = (atoms.b_factor > MAX_B_FACTOR) | (atoms.occupancy < 1.0)
    names, is_vague = atoms.res_name[starts], np.logical_or.reduceat(vague, starts)
    for name, unsure, angles in zip(names, is_vague, np.degrees(dihedral_side_chain(atoms)), strict=True):
        if name in ONE_LETTER and name in NUM_CHI and not unsure:
            angles = angles[: NUM_CHI[name]]
            if not np.isnan(angles).any():
                yield name, angles


def rotamers(name: str, chi: np.ndarray) -> list[Any]:
    """Rows share, means, standard deviations of a residue, the most frequent first: chi (n, k) in degrees."""
    if name == "PRO":
        return puckers(chi)
    widths, turns = np.full(chi.shape[1], 120.0), np.full(chi.shape[1], 360.0)
    origins = np.zeros(chi.shape[1])
    if name in FLAT:
        widths[-1], origins[-1] = 60.0, FLAT[name]
        turns[-1] = 180.0 if name in ALIKE else 360.0
    within = (chi - origins) % turns
    bins = (within // widths).astype(int)
    rows = []
    for key in itertools.product(*(range(int(number)) for number in turns / widths)):
        angles = within[(bins == key).all(axis=1)] + origins
        if len(angles) >= MIN_SHARE * len(chi):
            means = (angles.mean(axis=0) + 180.0) % 360.0 - 180.0
            rows.append([len(angles), means.round(1).tolist(), angles.std(axis=0).round(1).tolist()])
    total = sum(row[0] for row in rows)
    return sorted(([round(row[0] / total, 4), *row[1:]] for row in rows), reverse=True)


def puckers(chi: np.ndarray) -> list[Any]:
    """The two of our closed ring, as often as chi 1 of real ones is positive and negative."""
    ring = ring_atoms()
    closed = np.array([ring["CG"][2], ring["CD"][2]])
    positive = float((chi[:, 0] > 0).mean())
    shares = ((1.0 - positive, -closed), (positive, closed))
    return [[round(share, 4), angles.round(2).tolist(), [0.0, 0.0]] for share, angles in shares]


def write(source: str, rows: dict[str, list[Any]]) -> None:
    lines = [f'  "source": {json.dumps(source)}']
    for name, table in rows.items():
        lines.append(f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(row)}" for row in table) + "\n  ]")
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
