"""Writes src/foldpix/generation/residue_templates.json: the residues of full-atom peptides.

    python -m scripts.generation.make_residue_templates

Names, order, bond lengths and angles are those of the ideal coordinates of the chemical component dictionary
(as biotite ships it), in the charges of pH 7. What the dictionary's free, neutral amino acids do not have is
set here: carboxylates, proline's ring and HA on our backbone, and the atoms of peptide bonds and termini.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from biotite.structure import AtomArray, angle, dihedral, distance
from biotite.structure.info import residue

from foldpix.geometry import build_backbone, virtual_cb
from scripts.generation.proline import ring_atoms

TARGET = Path(__file__).parents[2] / "src/foldpix/generation/residue_templates.json"

# fmt: off
#: Atoms of the side chain's dihedrals after N, CA, CB: chi k turns the bond between atoms k and k + 1 of
#: (CA, CB, ...).
CHI = {
    "ALA": "", "ARG": "CG CD NE CZ", "ASN": "CG OD1", "ASP": "CG OD1", "CYS": "SG", "GLN": "CG CD OE1",
    "GLU": "CG CD OE1", "GLY": "", "HIS": "CG ND1", "ILE": "CG1 CD1", "LEU": "CG CD1", "LYS": "CG CD CE NZ",
    "MET": "CG SD CE", "PHE": "CG CD1", "PRO": "CG CD", "SER": "OG", "THR": "OG1", "TRP": "CG CD1",
    "TYR": "CG CD1", "VAL": "CG1", "SEC": "SE",
}
# fmt: on
WALK = {"N", "CA", "C", "O", "CB"}
#: Atoms of the dictionary's components that peptides of pH 7 do not have; histidine keeps the hydrogen of
#: NE2, the more frequent of its two neutral forms in water.
DROPPED = {name: {"HXT", "H2"} for name in CHI}
DROPPED["ASP"] |= {"HD2"}
DROPPED["GLU"] |= {"HE2"}
DROPPED["HIS"] |= {"HD1"}

#: Engh & Huber (1991): C-O in angstrom and C-C-O in degrees of aspartate and glutamate.
CARBOXYLATE = (1.249, 118.4)
#: Frame, bond length, angle and torsion of what termini and peptide bonds add. The amide H halves the angle
#: outside C-N-CA (121.6 degrees), OXT takes the place of the next residue's N (117 degrees).
AMIDE = [("H", "H", "later", ("-C", "CA", "N"), 1.01, 119.2, 180.0, None)]
AMMONIUM = [
    (name, "H", "first", ("C", "CA", "N"), 1.01, 109.5, torsion, None)
    for name, torsion in (("H1", 180.0), ("H2", 60.0), ("H3", -60.0))
]
RING_AMMONIUM = [
    (name, "H", "first", ("CD", "CA", "N"), 1.01, 109.5, torsion, None)
    for name, torsion in (("H2", 120.0), ("H3", -120.0))
]
OXT = ("OXT", "O", "last", ("O", "CA", "C"), 1.25, 117.0, 180.0, None)

#: Torsions that the dictionary's coordinates have otherwise: NH1 is the one cis to CD (IUPAC-IUB 1970), and
#: the hydroxyl of tyrosine lies in the plane of the ring.
TORSIONS = {("ARG", "NH1"): 0.0, ("ARG", "NH2"): 180.0, ("TYR", "HH"): 180.0}

#: Torsions this near to a plane lie in it, degrees.
PLANAR = 3.0


def main() -> None:
    lines = []
    for name in CHI:
        rows = ",\n".join(f"    {json.dumps(row)}" for row in template(name))
        lines.append(f"  {json.dumps(name)}: [\n{rows}\n  ]")
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def template(name: str) -> list[Any]:
    """Rows name, element, where, frame, length, angle, torsion, chi of a residue's atoms, parents first."""
    component = residue(name)
    component = component[~np.isin(component.atom_name, list(DROPPED[name]))]
    rows = [row for atom in component.atom_name for row in atom_rows(component, atom)]
    known = {"-C", *WALK}
    for row in rows:
        assert row[3] is None or known.issuperset(row[3]), (name, row)
        known.add(row[0])
    return rows


def atom_rows(component: AtomArray, atom: str) -> Iterator[Any]:
    name = component.res_name[0]
    element = str(component.element[component.atom_name == atom][0])
    if atom in WALK:
        yield (str(atom), element, "all", None, None, None, None, None)
    elif atom == "OXT":
        yield OXT
    elif atom == "H":
        yield from RING_AMMONIUM if name == "PRO" else AMMONIUM + AMIDE
    else:
        yield (str(atom), element, "all", *grown(component, atom))


def grown(component: AtomArray, atom: str) -> tuple[tuple[str, str, str], float, float, float, int | None]:
    """Frame, length, angle, torsion (from chi, where the atom turns with one) and chi."""
    name = component.res_name[0]
    frame = frame_of(component, atom)
    points = [component.coord[component.atom_name == one][0].astype(float) for one in (*frame, atom)]
    length, bent = distance(*points[2:]), np.degrees(angle(*points[1:]))
    torsion, chi = np.degrees(dihedral(*points)), chi_of(name, frame)
    if chi is not None:
        leader = component.coord[component.atom_name == CHI[name].split()[chi]][0].astype(float)
        torsion -= np.degrees(dihedral(*points[:3], leader))
    if name in ("ASP", "GLU") and atom[0] == "O":
        length, bent = CARBOXYLATE
    if name == "PRO" and atom in ("CG", "CD"):
        length, bent = ring_atoms()[atom][:2]
    if atom in ("HA", "HA2", "HA3"):
        bent, torsion = alpha_hydrogen(along_cb=atom == "HA3")
    torsion = TORSIONS.get((name, atom), torsion)
    return frame, round(float(length), 4), round(float(bent), 2), in_plane(float(torsion)), chi


def alpha_hydrogen(along_cb: bool) -> tuple[float, float]:
    """N-CA-H and C-N-CA-H in degrees of the hydrogen opposite to N, C and CB, or of that instead of CB."""
    n, ca, c = build_backbone(np.zeros((1, 3)))[0]
    cb = virtual_cb(np.stack([[n, ca, c]]))[0]
    ways = np.stack([n, c, cb]) - ca
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    place = ca + (ways[2] if along_cb else -ways.sum(axis=0))
    return np.degrees(angle(n, ca, place)), np.degrees(dihedral(c, n, ca, place))


def in_plane(torsion: float) -> float:
    torsion = (torsion + 180.0) % 360.0 - 180.0
    for plane in (0.0, 180.0, -180.0):
        if abs(torsion - plane) < PLANAR:
            return abs(plane)
    return round(torsion, 2)


def frame_of(component: AtomArray, atom: str) -> tuple[str, str, str]:
    """The three atoms an atom is placed from: the last of them is the one it is bonded to."""
    if component.res_name[0] == "PRO" and atom in ("HD2", "HD3"):
        return "CG", "N", "CD"
    parents = tree(component)
    bonded = parents[atom]
    if bonded == "CA":
        return "C", "N", "CA"
    before = parents[bonded]
    return ("N" if before == "CA" else parents[before]), before, bonded


def tree(component: AtomArray) -> dict[str, str]:
    """The atom before each one on the way from CA, N and C left out."""
    names, bonds = component.atom_name.tolist(), component.bonds
    parents = {"CA": ""}
    for atom in (reached := ["CA"]):
        for neighbour in sorted(bonds.get_bonds(names.index(atom))[0]):
            name = names[neighbour]
            if name not in parents and name not in ("N", "C"):
                parents[name] = atom
                reached.append(name)
    return parents


def chi_of(name: str, frame: tuple[str, str, str]) -> int | None:
    """Number, from 0, of the side chain's dihedral about the last two atoms of the frame."""
    path = ["N", "CA", "CB", *CHI[name].split()]
    for chi in range(len(path) - 3):
        if tuple(path[chi : chi + 3]) == frame:
            return chi
    return None


if __name__ == "__main__":
    main()
