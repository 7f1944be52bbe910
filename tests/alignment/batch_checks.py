"""Pairs and batches of molecules; run by test_batch.py in a process with JAX.

Compiling takes most of the time: most molecules here have 9 to 16 heavy atoms and at most 8 features,
so that they are of one shape.
"""

import json
import math

import numpy as np
import pytest
from rdkit import Chem

from foldpix.alignment.batch import MoleculePairBatch
from foldpix.alignment.molecule import Molecule
from foldpix.alignment.pair import MoleculePair
from foldpix.alignment.surfaces import COULOMB, surface_alpha
from tests.alignment.conftest import embed, molecule
from tests.conftest import random_rotation

SMILES = ("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Nc1ccc(O)cc1", "CC(C)Cc1ccc(cc1)C(C)C(=O)O")
NUM_POINTS = 60
#: The method of each result's key, with arguments.
MODES = {
    "vol_noH": ("align_with_vol", {}),
    "vol_esp_noH": ("align_with_vol_esp", {"lam": 0.1}),
    "pharm": ("align_with_pharm", {}),
    "vol": ("align_with_vol", {"no_H": False}),
    "surf": ("align_with_surf", {"alpha": surface_alpha(NUM_POINTS)}),
    "esp": ("align_with_esp", {"alpha": surface_alpha(NUM_POINTS)}),
}
KEYS = [*list(MODES)[:3], *(pytest.param(key, marks=pytest.mark.slow) for key in list(MODES)[3:])]


@pytest.fixture(scope="module")
def molecules():
    return [molecule(smiles, num_surf_points=NUM_POINTS) for smiles in SMILES]


def align(pairs, key, **options):
    name, arguments = MODES[key]
    return getattr(MoleculePairBatch(pairs), name)(**arguments, **options)


def moved(mol, seed, distance=40.0):
    rng = np.random.default_rng(seed)
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = random_rotation(rng), distance * rng.normal(size=3)
    return mol.transformed(transform)


def overlap(ref, fit, alpha, ref_charges=None, fit_charges=None, lam=1.0):
    """Sum over pairs of Gaussians, in float64, as it is defined."""
    terms = np.exp(-alpha / 2.0 * ((ref[:, None] - fit) ** 2).sum(axis=-1))
    if ref_charges is not None:
        terms = terms * np.exp(-((ref_charges[:, None] - fit_charges) ** 2) / lam)
    return terms.sum()


def tanimoto(*clouds, alpha, lam=1.0):
    (ref, ref_charges), (fit, fit_charges) = clouds
    both = overlap(ref, fit, alpha, ref_charges, fit_charges, lam)
    own = overlap(ref, ref, alpha, ref_charges, ref_charges, lam)
    return both / (own + overlap(fit, fit, alpha, fit_charges, fit_charges, lam) - both)


def posed_clouds(pair, key):
    """Points and charges of both molecules, the fit's at its pose."""
    fit = pair.fit.transformed(pair.results[key].transform)
    if key in ("surf", "esp"):
        return [(mol.surf_pos, mol.surf_esp if key == "esp" else None) for mol in (pair.ref, fit)]
    no_H = key.endswith("noH")
    charged = "esp" in key
    return [(mol.get_positions(no_H), mol.get_charges(no_H) if charged else None) for mol in (pair.ref, fit)]


@pytest.mark.parametrize("key", [key for key in KEYS if key != "pharm"])
def test_scores_are_those_of_the_poses(molecules, key):
    pairs = [MoleculePair(molecules[0], moved(mol, seed)) for seed, mol in enumerate(molecules)]
    scores, aligned = align(pairs, key)
    alpha = surface_alpha(NUM_POINTS) if key in ("surf", "esp") else 0.81
    lam = 0.3 * COULOMB**2 if key == "esp" else 0.1
    for pair, score, coords in zip(pairs, scores, aligned, strict=True):
        clouds = posed_clouds(pair, key)
        assert tanimoto(*clouds, alpha=alpha, lam=lam) == pytest.approx(score, abs=1e-5)
        assert coords == pytest.approx(clouds[1][0], abs=1e-4)
        assert getattr(pair, f"sim_aligned_{key}") == score
        assert np.array_equal(getattr(pair, f"transform_{key}"), pair.results[key].transform)
        assert getattr(pair, f"status_{key}") == "ok"


@pytest.mark.parametrize("key", KEYS)
def test_a_molecule_finds_itself_far_away_and_turned(molecules, key):
    pairs = [MoleculePair(mol, moved(mol, seed, 100.0)) for seed, mol in enumerate(molecules)]
    scores = align(pairs, key)[0]
    assert scores == pytest.approx(np.ones(len(pairs)), abs=1e-4)


def test_single_linear_planar_and_symmetric_molecules_find_themselves():
    smiles = ("C", "O", "Cl", "CC", "C#C", "C#N", "O=C=O", "N#CC#N", "c1ccccc1", "CC(C)(C)C", "ClC(Cl)(Cl)Cl")
    small = [molecule(name) for name in smiles]
    pairs = [MoleculePair(mol, moved(mol, seed)) for seed, mol in enumerate(small)]
    scores, aligned = align([*pairs, MoleculePair(*small[:2])], "vol_noH")
    assert scores == pytest.approx(np.ones(len(small) + 1), abs=1e-4)  # methane on water as well
    for mol, coords in zip(small, aligned, strict=False):
        distance = np.linalg.norm(mol.atom_pos[:, None] - coords, axis=-1)
        assert distance.min(axis=1).max() < 0.05  # on the molecule, if not atom by atom


def test_a_bad_pair_spoils_nothing(molecules):
    broken = embed(SMILES[1])
    broken.GetConformer().SetAtomPosition(0, (math.nan, 0.0, 0.0))
    boron, deuterium = molecule("OB(O)c1ccccc1"), molecule("[2H]c1cc([2H])ccc1C(=O)OC")
    fits = [boron, molecule("[H][H]"), deuterium, Molecule(broken), molecules[1]]
    batch = MoleculePairBatch([MoleculePair(molecules[0], fit) for fit in fits])
    scores, aligned = batch.align_with_vol_esp(lam=0.1)
    assert scores[-1] == pytest.approx(align(batch.pairs[-1:], "vol_esp_noH")[0][0], abs=1e-6)
    assert np.isnan(scores).tolist() == [True, True, False, True, False]
    assert [status == "ok" for status in batch.statuses] == [False, False, True, False, True]
    assert batch.statuses[0].startswith("fit: MMFF94 has no charges")
    assert np.array_equal(batch.pairs[0].transform_vol_esp_noH, np.eye(4))
    assert [len(coords) for coords in aligned] == [0, 0, 10, 11, 11]
    assert np.isnan(batch.align_with_vol()[0]).tolist() == [False, True, False, True, False]


def test_a_molecule_without_features_says_so(molecules):
    batch = MoleculePairBatch([MoleculePair(molecule("C"), molecules[0]), MoleculePair(*molecules[:2])])
    scores, anchors, vectors = batch.align_with_pharm()
    assert batch.statuses[0] == "reference: the molecule has no pharmacophore features; align it by shape"
    assert np.isnan(scores[0]) and 0.0 < scores[1] <= 1.0
    assert anchors[0] == pytest.approx(molecules[0].pharm_ancs)
    rotation = batch.pairs[1].transform_pharm[:3, :3]
    assert vectors[1] == pytest.approx(molecules[1].pharm_vecs @ rotation.T, abs=1e-6)


def test_an_unknown_similarity_is_an_error(molecules):
    with pytest.raises(ValueError, match=r"nonsense.*tversky"):
        MoleculePair(*molecules[:2]).align_with_pharm(similarity="nonsense")


def test_an_empty_batch_is_empty():
    scores, aligned = MoleculePairBatch([]).align_with_vol()
    assert scores.shape == (0,) and scores.dtype == np.float64 and aligned == []


def test_buckets_company_and_order_change_no_score(molecules):
    pairs = [MoleculePair(ref, moved(fit, 5)) for ref in molecules for fit in molecules]
    scores = align(pairs, "vol_noH", n_buckets=3)[0]
    assert align(pairs[::-1], "vol_noH", num_buckets=2)[0][::-1] == pytest.approx(scores, abs=1e-6)
    for pair, score in zip(pairs, scores, strict=True):
        assert align([pair], "vol_noH")[0][0] == pytest.approx(score, abs=1e-6)


@pytest.mark.slow
def test_devices_change_no_score(molecules):
    pairs = [MoleculePair(ref, moved(fit, 5)) for ref in molecules for fit in molecules]
    scores = align(pairs, "vol_noH")[0]
    assert align(pairs, "vol_noH", num_workers=2)[0] == pytest.approx(scores, abs=1e-6)
    assert align(pairs, "vol_noH", num_workers=2, use_shmap=False)[0] == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize("options", [{"n_buckets": 0}, {"num_buckets": -1}, {"num_workers": 0}])
def test_numbers_that_are_none_are_named(molecules, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is {options[name]}"):
        align([MoleculePair(*molecules[:2])], "vol_noH", **options)


def test_too_few_devices_are_a_warning_that_says_how_to_get_more(molecules):
    with pytest.warns(UserWarning, match=r"num_workers is 8.* has 1 .*jax_num_cpu_devices.*XLA_FLAGS"):
        align([MoleculePair(*molecules[:2])], "vol_noH", num_workers=8)


def test_centring_works_on_copies(molecules):
    ref, fit = embed(SMILES[0]), moved(molecules[1], 1)
    before = ref.GetConformer().GetPositions(), fit.atom_pos
    pair = MoleculePair(ref, fit, do_center=True)
    for centred in (pair.ref, pair.fit):
        assert centred.atom_pos.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    pair.align_with_vol()
    assert np.array_equal(ref.GetConformer().GetPositions(), before[0])
    assert np.array_equal(fit.atom_pos, before[1])
    far = MoleculePair(ref, fit)
    far.align_with_vol()
    assert far.sim_aligned_vol_noH == pytest.approx(pair.sim_aligned_vol_noH, abs=1e-5)


def test_a_pair_knows_what_it_has_not_done(molecules):
    pair = MoleculePair(*molecules[:2])
    assert pair.sim_aligned_pharm is None and pair.status_pharm == "not aligned"
    assert np.array_equal(pair.transform_surf, np.eye(4))
    with pytest.raises(AttributeError, match="transform_nonsense"):
        _ = pair.transform_nonsense


@pytest.mark.slow
def test_surface_points_come_from_the_pair_or_the_molecule(molecules):
    alpha = surface_alpha(NUM_POINTS)
    of_pair = MoleculePair(molecules[0].mol, molecules[1].mol, num_surf_points=NUM_POINTS)
    of_molecules = MoleculePair(*molecules[:2])
    assert of_pair.align_with_surf(alpha) == pytest.approx(of_molecules.align_with_surf(alpha), abs=1e-4)
    bare = MoleculePair(molecules[0].mol, molecules[1].mol)
    assert bare.align_with_surf(alpha).shape == (0, 3) and "num_points or density" in bare.status_surf


@pytest.mark.slow
def test_one_repeat_starts_where_the_molecule_is(molecules):
    pair = MoleculePair(molecules[0], molecules[0])
    pair.align_with_vol(method="adam", num_repeats=1)
    assert pair.sim_aligned_vol_noH == pytest.approx(1.0, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["adam", "newton"])
def test_starts_at_every_atom_serve_references_of_any_size(molecules, method):
    pairs = [MoleculePair(ref, molecules[1]) for ref in (molecule("CO"), molecules[0])]
    scores = align(pairs, "vol_noH", method=method, trans_init=True)[0]
    assert scores[0] > 0.2 and scores[1] > 0.7


def peer_molecule(folder, mol, number, key):
    """A molecule of the peer's with its features, all centred as those are."""
    names, data = {}, {}
    if key == "pharm":
        data = np.load(folder / "pharm_features.npz")
        names = {"pharm_types": "types", "pharm_ancs": "pos", "pharm_vecs": "vec"}
    elif key in ("surf", "esp"):
        data = np.load(folder / "surfaces200.npz")
        names = {"surface_points": "pos", "electrostatics": "esp"}
    centred = Molecule(mol).center_to(Molecule(mol).atom_pos.mean(axis=0)).mol
    return Molecule(centred, **{name: data[f"{number}_{part}"] for name, part in names.items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "scores_key"),
    [
        ("vol_noH", "seq_N512_R50_b1_centered"),
        ("vol_esp_noH", "vol_esp_N64_R50_centered"),
        ("pharm", "pharm_N64_R50_centered"),
        ("surf", "surf_N8_R50_centered"),
        ("esp", "surf_esp_N8_R50_centered"),
    ],
)
def test_scores_are_as_good_as_the_peers_on_its_own_features(peer_data, key, scores_key):
    theirs = json.loads((peer_data / "peer_scores.json").read_text())["scores"][scores_key]
    theirs = np.array(theirs["seq"] if isinstance(theirs, dict) else theirs)
    numbers = json.loads((peer_data / "pairs.json").read_text())["pairs"][: len(theirs)]
    mols = list(Chem.SDMolSupplier(str(peer_data / "mols.sdf"), removeHs=False))
    used = sorted({number for pair in numbers for number in pair})
    found = {number: peer_molecule(peer_data, mols[number], number, key) for number in used}
    name, arguments = MODES[key]
    if "alpha" in arguments:
        arguments = {"alpha": surface_alpha(200)}
    batch = MoleculePairBatch([MoleculePair(found[ref], found[fit]) for ref, fit in numbers])
    scores = getattr(batch, name)(**arguments)[0]
    print(key, "means", scores.mean(), theirs.mean(), "least difference", (scores - theirs).min())
    assert scores.mean() > theirs.mean()
    if key == "vol_noH":
        best = np.array(json.loads((peer_data / "best_known.json").read_text())["scores"])
        assert (scores < best - 0.01).mean() <= 0.02
