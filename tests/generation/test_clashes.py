"""Clashes, against all pairs of atoms one by one and against real chains."""

import gzip
import io

import numpy as np
import pytest
from biotite.structure.io.pdb import PDBFile

from foldpix.generation.clashes import CONTACT_LIMITS, count_clashes
from tests.generation.peptides import HELIX, STRAND, backbone

ATOMS = ("N", "CA", "C", "O", "CB")
# Written down once more, by element and by hand.
CONTACTS = {"CC": 3.0, "CN": 2.8, "CO": 2.7, "NN": 2.6, "NO": 2.5, "OO": 2.6}
JOINED = {("C", "N"), ("CA", "N"), ("O", "N"), ("C", "CA")}


def clashes(coords_L53, has_cb_L, chain_L):
    """All pairs of atoms, one by one."""
    atoms = [
        (i, name, coords_L53[i, k].astype(np.float64))
        for i in range(len(coords_L53))
        for k, name in enumerate(ATOMS)
        if name != "CB" or has_cb_L[i]
    ]
    return sum(is_clash(first, second, chain_L) for k, first in enumerate(atoms) for second in atoms[k + 1 :])


def is_clash(first, second, chain_L):
    (i, a, at_a), (j, b, at_b) = first, second
    if i == j:
        return False
    same = chain_L[i] == chain_L[j]
    if same and j - i == 1 and (a, b) in JOINED:
        return False
    limit = 2.2 if same and j - i < 3 else CONTACTS["".join(sorted(a[0] + b[0]))]
    return np.linalg.norm(at_a - at_b) < limit


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_all_pairs(seed):
    rng = np.random.default_rng(seed)
    coords = backbone(rng.uniform(-180.0, 180.0, size=(3, 24, 3)))
    has_cb, lengths = rng.random((3, 24)) < 0.8, np.array([24, 17, 2])
    expected = [clashes(coords[b, :n], has_cb[b], np.zeros(24)) for b, n in enumerate(lengths)]
    assert count_clashes(coords, has_cb, lengths).tolist() == expected
    assert expected[0] > 0


def test_single_precision_and_one_mask_for_all():
    coords = backbone(np.random.default_rng(5).uniform(-180.0, 180.0, size=(4, 30, 3)))
    has_cb, lengths = np.arange(30) % 3 > 0, np.full(4, 30)
    expected = count_clashes(coords, np.tile(has_cb, (4, 1)), lengths)
    assert count_clashes(coords.astype(np.float32), has_cb, lengths).tolist() == expected.tolist()


def test_chains_clash_with_each_other():
    strands = backbone(np.tile(STRAND, (1, 8, 1)))
    both = np.concatenate([strands, strands + np.array([0.5, 0.5, 2.0])], axis=1)
    has_cb, lengths = np.ones(16, dtype=bool), np.array([16])
    number = count_clashes(both, has_cb, lengths, (0, 8))
    assert number.tolist() == [clashes(both[0], has_cb, np.arange(16) // 8)]
    far_off = np.concatenate([strands, strands + np.array([0.0, 0.0, 50.0])], axis=1)
    assert number[0] > 100 and count_clashes(far_off, has_cb, lengths, (0, 8))[0] == 0


@pytest.mark.parametrize("torsions", [HELIX, STRAND, (-75.0, 145.0, 180.0), (57.0, 47.0, 180.0)])
def test_what_bonds_fix_does_not_count(torsions):
    coords = backbone(np.tile(torsions, (1, 40, 1)))
    assert count_clashes(coords, np.ones(40, dtype=bool), np.array([40]))[0] == 0


def test_limits_are_symmetric():
    assert (CONTACT_LIMITS == CONTACT_LIMITS.T).all()


def test_real_chains_hardly_clash(real_structures):
    paths = sorted((real_structures / "chains").glob("*.pdb.gz"))[::120]
    found = [real_backbone(path) for path in paths]
    counts = [count_clashes(coords[None], has_cb, np.array([len(has_cb)]))[0] for coords, has_cb in found]
    assert np.mean(np.array(counts) == 0) > 0.6
    assert sum(counts) / sum(len(has_cb) for _, has_cb in found) < 0.01


def real_backbone(path):
    """N, CA, C, O, CB of the first amino acids that have all but CB, and whether they have that."""
    text = gzip.decompress(path.read_bytes()).decode()
    atoms = PDBFile.read(io.StringIO(text)).get_structure(model=1)
    places: dict = {}
    for atom in atoms:
        if atom.atom_name in ATOMS:
            places.setdefault(atom.res_id, {}).setdefault(atom.atom_name, atom.coord)
    whole = [place for place in places.values() if len(place.keys() - {"CB"}) == 4]
    none = np.zeros(3)
    coords = np.array([[place.get(name, none) for name in ATOMS] for place in whole], dtype=np.float64)
    return coords, np.array(["CB" in place for place in whole])
