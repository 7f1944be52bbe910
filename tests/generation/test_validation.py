import gzip

import numpy as np
import pytest
from biotite.structure import filter_amino_acids, get_residues
from biotite.structure.info import residue as component
from biotite.structure.io.pdb import PDBFile

from foldpix.generation import BatchedGenerator, validation
from foldpix.generation.peptide import BatchedPeptide
from foldpix.generation.sequence import COMPONENT_OF_D, NAME_OF_LETTER
from foldpix.geometry import best_rotation, place_atom
from foldpix.structure.oxygen import C_O, CA_C_O
from tests.generation.peptides import HELIX, STRAND, backbone, drawn, helix, peptide_of

NAMES = list(np.resize(["ALA", "VAL", "GLY", "PHE", "SER"], 20))


def failed(batch):
    return {check.name for check in batch.validate().checks if not check.ok}


def strands(num=4, seed=0, names=NAMES, spread=4.0, is_d=False):
    return peptide_of(backbone(drawn(seed, num, len(names), STRAND, spread), is_d), names)


def atom(batch, name):
    """The coordinates (B, L, 3) of one backbone atom, as a view."""
    return batch.by_residue()[0][:, :, ("N", "CA", "C", "O", "CB").index(name)]


@pytest.mark.parametrize("batch", [helix(), strands()], ids=["helix", "strand"])
def test_ideal_chains_are_well(batch):
    result = batch.validate()
    assert result.ok, str(result)
    assert str(result).splitlines()[0] == "all is well"
    for check in result.checks[:12]:
        assert abs(check.worst - check.target) < (1e-4 if check.unit == "A" else 5e-3), check
        assert check.mean == pytest.approx(check.target, abs=5e-4)
    num, length, glycines = len(batch), batch.n_residues, batch.sequence.count("GLY")
    assert result["N-CA"].num == num * length
    assert result["C-N"].num == result["O-C-N"].num == num * (length - 1)
    assert result["chirality at CA"].num == num * (length - glycines)
    assert result["Ramachandran"].num == num * (length - 2)


@pytest.mark.parametrize("psi", [-47.0, 120.0, 135.0, 145.0])
def test_oxygen_that_ignores_psi(psi):
    """O at N-CA-C-O = 180 whatever psi, up to 1.5 A from the next N."""
    batch = peptide_of(backbone(np.full((1, 20, 3), (-80.0, psi, 180.0))), NAMES)
    n, ca, c = (atom(batch, name) for name in ("N", "CA", "C"))
    atom(batch, "O")[...] = place_atom(n, ca, c, C_O, CA_C_O, np.full(n.shape[:2], np.pi))
    assert {"O in the plane", "O-C-N"} <= failed(batch)
    result = batch.validate()
    off = result["O in the plane"]
    assert (off.num_outliers, off.num) == (19, 19)
    assert abs(abs(off.mean - 180) - abs(psi)) < 1e-3
    assert "O in the plane" in str(result).splitlines()[0]


def test_residues_of_the_wrong_hand():
    is_d = np.arange(20) == 8
    batch = strands(is_d=is_d)
    assert failed(batch) == {"chirality at CA"}
    check = batch.validate()["chirality at CA"]
    assert (check.num_outliers, check.residue) == (len(batch), 8)
    assert check.worst == pytest.approx(360 - 122.59, abs=0.01)


def test_d_residues_that_were_asked_for():
    torsions = drawn(0, 4, 20, STRAND)
    is_d = np.arange(20) % 3 == 0
    torsions[:, is_d, :2] *= -1
    names = [f"D-{name}" if d and name != "GLY" else name for name, d in zip(NAMES, is_d, strict=True)]
    batch = peptide_of(backbone(torsions, is_d), names)
    assert failed(batch) == set()
    assert "chirality at CA" in failed(peptide_of(backbone(torsions), names))
    torsions[:, is_d, :2] *= -1
    assert "Ramachandran" in failed(peptide_of(backbone(torsions, is_d), names))


def test_cis_peptides_but_not_before_proline():
    names = ["ALA"] * 6 + ["PRO"] + ["ALA"] * 5
    torsions = np.tile(STRAND, (2, 12, 1))
    torsions[:, [5, 6], :2] = -70, 145
    torsions[1, 5, 2] = 4.0
    batch = peptide_of(backbone(torsions), names)
    assert batch.validate()["cis peptides"].ok
    torsions[1, 8, 2] = -5.0
    result = peptide_of(backbone(torsions), names).validate()
    check = result["cis peptides"]
    assert (check.num_outliers, check.num, check.member, check.residue) == (1, 2 * 10, 1, 8)
    assert result["peptide twist"].ok
    assert result["peptide twist"].worst == pytest.approx(-5.0, abs=1e-3)


def test_twisted_peptide():
    torsions = np.tile(HELIX, (3, 12, 1))
    torsions[2, 4, 2] = 140.0
    check = peptide_of(backbone(torsions), ["ALA"] * 12).validate()["peptide twist"]
    assert (check.num_outliers, check.member, check.residue) == (1, 2, 4)
    assert check.worst == pytest.approx(-40, abs=1e-3)


def test_a_bond_that_is_pulled():
    batch = strands()
    batch.coords[2, 5 * 11 :] += 1.0
    result = batch.validate()
    assert not result["C-N"].ok
    assert result["N-CA"].ok
    assert (result["C-N"].member, result["C-N"].residue) == (2, 10)
    line = next(line for line in str(result).splitlines() if line.startswith("! C-N (A)"))
    assert line.endswith("1 of 76  member 2, A 11 ALA")


def test_chains_that_interpenetrate():
    coords = backbone(np.tile(HELIX, (2, 20, 1)))
    twice = np.concatenate([coords, coords + np.array([0.9, 0.5, 0.2])], axis=1)
    assert failed(peptide_of(twice, NAMES * 2, "A" * 20 + "B" * 20)) == {"clashes"}
    apart = np.concatenate([coords, coords + 60.0], axis=1)
    assert failed(peptide_of(apart, NAMES * 2, "A" * 20 + "B" * 20)) == set()


def clashes_by_brute_force(coords_BL53, has_cb):
    """Heavy backbone atoms nearer than 2.2 A but for bonded ones and such as share a neighbour."""
    names = ["N", "CA", "C", "O", "CB"]
    atoms = [(i, name) for i in range(len(has_cb)) for name in names if name != "CB" or has_cb[i]]
    bonds = {
        (i, a, i, b)
        for i in range(len(has_cb))
        for a, b in (("N", "CA"), ("CA", "C"), ("C", "O"), ("CA", "CB"))
    }
    bonds |= {(i, "C", i + 1, "N") for i in range(len(has_cb) - 1)}
    bonded = {frozenset([(i, a), (j, b)]) for i, a, j, b in bonds}
    points = np.stack([coords_BL53[:, i, names.index(name)] for i, name in atoms], axis=1)
    counts = np.zeros(len(coords_BL53), dtype=int)
    for p in range(len(atoms)):
        for q in range(p):
            between = any({frozenset([atoms[p], k]), frozenset([k, atoms[q]])} <= bonded for k in atoms)
            if frozenset([atoms[p], atoms[q]]) not in bonded and not between:
                counts += np.linalg.norm(points[:, p] - points[:, q], axis=-1) < 2.2
    return counts


def test_clashes_by_brute_force():
    names = ["ALA", "GLY", "PHE"] * 3
    coords = backbone(np.random.default_rng(0).uniform(-180, 180, (30, 9, 3)))
    counts = clashes_by_brute_force(coords, [name != "GLY" for name in names])
    batch = peptide_of(coords, names)
    assert counts.sum() > 20
    assert [member.validate()["clashes"].num_outliers for member in batch] == counts.tolist()
    assert batch.validate()["clashes"].num_outliers == counts.sum()


def test_the_nearest_pair_is_told():
    batch = helix(3, 20, names=["ALA"] * 20)
    atom(batch, "O")[1, 3] = atom(batch, "CB")[1, 15] + (0.0, 0.3, 0.4)
    check = batch.validate()["clashes"]
    assert (check.member, check.residue) == (1, 3)
    assert check.worst == pytest.approx(0.5, abs=1e-5)


def test_residues_outside_the_ramachandran_regions():
    torsions = np.tile(HELIX, (2, 52, 1))
    torsions[0, 9, :2] = 0, 0
    result = peptide_of(backbone(torsions), ["ALA"] * 52).validate()
    check = result["Ramachandran"]
    assert (check.num_outliers, check.num, check.member, check.residue, check.ok) == (1, 100, 0, 9, True)
    assert check.mean == pytest.approx(0.01)
    torsions[:, 9:19:2, :2] = 0, 0
    assert not peptide_of(backbone(torsions), ["ALA"] * 52).validate()["Ramachandran"].ok


def test_blocks_of_members_add_up(monkeypatch):
    batch = peptide_of(backbone(np.random.default_rng(1).uniform(-180, 180, (7, 12, 3))), NAMES[:12])
    batch.coords[5] *= 1.01
    whole = batch.validate()
    monkeypatch.setattr(validation, "_BLOCK", 2 * batch.n_atoms)
    for check, of_blocks in zip(whole.checks, batch.validate().checks, strict=True):
        assert of_blocks[6:] == check[6:]
        np.testing.assert_allclose(of_blocks[2:6], check[2:6], rtol=1e-6)


def test_rigid_motions_change_nothing():
    batch = strands(spread=40.0)
    rng = np.random.default_rng(0)
    rotation, _ = best_rotation(rng.standard_normal((3, 3)))
    moved = peptide_of(batch.by_residue()[0] @ rotation + 100.0, NAMES)
    for before, after in zip(batch.validate().checks, moved.validate().checks, strict=True):
        assert (after.num, after.num_outliers, after.ok) == (before.num, before.num_outliers, before.ok)
        np.testing.assert_allclose(after.worst, before.worst, rtol=0, atol=1e-4)


def test_atoms_that_are_missing_are_not_measured():
    full = strands(2)
    rows = np.flatnonzero(np.isin(full.atom_names, ["N", "CA", "C"]))
    names = [full.atom_names[k] for k in rows]
    result = BatchedPeptide(full.coords[:, rows], NAMES, names, np.repeat(np.arange(1, 21), 3)).validate()
    assert result.ok
    assert [result[name].num for name in ("C-O", "CA-CB", "O in the plane", "chirality at CA")] == [0] * 4
    assert result["clashes"].num == 2 * 60
    assert len(str(result).splitlines()) == len(result.checks) + 2


def test_one_residue():
    assert peptide_of(backbone(np.zeros((2, 1, 3))), ["ALA"]).validate().ok


NAMES_OF_ALL = "ACDEFGHIKLMNPQRSTVWYU"


def full_atom(text=NAMES_OF_ALL, num=3):
    return BatchedGenerator(text, num, full_atom=True).generate_batch(seed=1, conformation="beta")


def moved(batch, residue, atom, by):
    """The batch with one atom moved in member 1."""
    names, numbers = np.array(batch.atom_names), np.array(batch.residue_indices)
    batch.coords[1, (numbers == residue) & (names == atom)] += by
    return batch


def test_side_chains_of_full_atom_chains():
    for text in (NAMES_OF_ALL, "-".join(COMPONENT_OF_D)):
        result = full_atom(text).validate()
        assert abs(result["side-chain bonds"].worst) < 0.03  # between proline's puckers
        assert [result[f"chirality at CB of {name}"].num for name in ("ILE", "THR")] == [3, 3]
        assert result["chirality at CB of ILE"].worst == pytest.approx(120, abs=1)


def test_all_side_chain_bonds_are_measured_but_those_that_close_flat_rings():
    num_bonds = 0
    for letter in NAMES_OF_ALL:
        atoms = component(NAME_OF_LETTER[letter])
        names = atoms.atom_name[atoms.bonds.as_array()[:, :2]]
        counted = ~np.isin(names, ["CA", "C", "O", "OXT"]) & ~np.char.startswith(names, "H")
        num_bonds += int(counted.all(axis=1).sum())
    closures = 5  # phenylalanine, tyrosine and histidine one, tryptophan two
    assert full_atom().validate()["side-chain bonds"].num == 3 * (num_bonds - closures)


def test_a_side_chain_bond_that_is_pulled():
    result = moved(full_atom(), 9, "NZ", 1.0).validate()
    assert [check.name for check in result.checks if not check.ok] == ["side-chain bonds"]
    check = result["side-chain bonds"]
    assert (check.num_outliers, check.member, check.residue) == (1, 1, 8)


@pytest.mark.parametrize(("residue", "other", "name"), [(8, "CG1", "ILE"), (17, "OG1", "THR")])
def test_beta_carbons_of_the_wrong_hand(residue, other, name):
    batch = full_atom()
    names, numbers = np.array(batch.atom_names), np.array(batch.residue_indices)
    rows = [np.flatnonzero((numbers == residue) & (names == atom))[0] for atom in (other, "CG2")]
    batch.coords[2, rows] = batch.coords[2, rows[::-1]]
    check = batch.validate()[f"chirality at CB of {name}"]
    assert (check.num_outliers, check.member, check.residue) == (1, 2, residue - 1)
    assert check.worst == pytest.approx(240, abs=1)


def test_no_members_and_no_numbers():
    batch = helix(3, 4)
    with pytest.raises(ValueError, match="there is no structure left"):
        batch[:0].validate()
    batch.coords[2, 0, 0] = np.inf
    with pytest.raises(ValueError, match="member 2 has coordinates that are not finite"):
        batch.validate()


def test_unknown_check():
    with pytest.raises(KeyError, match="no check 'bonds'; there are N-CA, CA-C, "):
        helix(1, 4).validate()["bonds"]


@pytest.mark.parametrize("name", ["1a00_B", "1a02_F"])
def test_real_chains(real_structures, name):
    with gzip.open(real_structures / "chains" / f"{name}.pdb.gz", "rt") as lines:
        atoms = PDBFile.read(lines).get_structure(model=1)
    atoms = atoms[filter_amino_acids(atoms)]
    _, names = get_residues(atoms)
    numbers = np.cumsum(np.append(1, np.diff(atoms.res_id) != 0))
    result = BatchedPeptide(atoms.coord[None], names.tolist(), atoms.atom_name, numbers).validate()
    for check in result.checks:
        expected = 0.02 if check.unit == "A" else 3.0
        if check.name not in ("clashes", "Ramachandran") and not check.name.startswith(("chirality", "side")):
            assert abs(check.mean - check.target) < expected, check
    assert result["chirality at CA"].ok
    assert result["cis peptides"].ok
    assert result["clashes"].num_outliers <= 1
    assert result["Ramachandran"].ok
