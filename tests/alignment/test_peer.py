"""Beside shepherd-score, on its inputs and its scores pair by pair, where they lie beside the repository."""

import json

import numpy as np
import pytest

from foldpix.alignment import Charged, Cloud, Molecule, Pharmacophore, Volume, align
from tests.conftest import REPO

BENCH = REPO.parent / "shared" / "peers" / "shepherd_bench"
# Of 200 surface points; λ of potentials in V, in units of (14.39977 eV Å / e²)².
SURFACE_ALPHA, SURFACE_LAM = 1.118, 0.3 * 207.3535

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scores():
    if not BENCH.is_dir():
        pytest.skip(f"no {BENCH.name} beside the repository")
    return json.loads((BENCH / "peer_scores.json").read_text())["scores"]


def pairs_of(clouds, num):
    pairs = json.loads((BENCH / "pairs.json").read_text())["pairs"][:num]
    return [clouds(ref) for ref, _ in pairs], [clouds(fit) for _, fit in pairs]


def volumes():
    chem = pytest.importorskip("rdkit.Chem")
    molecules = [chem.RemoveHs(m) for m in chem.SDMolSupplier(str(BENCH / "mols.sdf"), removeHs=False)]
    points = [molecule.GetConformer().GetPositions() for molecule in molecules]
    clouds = [Cloud(x - x.mean(axis=0)) for x in points]
    return clouds.__getitem__


def features():
    arrays = np.load(BENCH / "pharm_features.npz")
    return lambda k: Cloud(
        arrays[f"{k}_pos"], types=arrays[f"{k}_types"], vectors=arrays[f"{k}_vec"], center=np.zeros(3)
    )


def charged_volumes():
    chem = pytest.importorskip("rdkit.Chem")
    molecules = [Molecule(mol) for mol in chem.SDMolSupplier(str(BENCH / "mols.sdf"), removeHs=False)]
    return lambda k: Cloud(
        molecules[k].atom_pos - molecules[k].atom_pos.mean(axis=0), molecules[k].get_charges(True)
    )


def surfaces():
    arrays = np.load(BENCH / "surfaces200.npz")
    return lambda k: Cloud(arrays[f"{k}_pos"], arrays[f"{k}_esp"])


def test_volumes_reach_the_best_known(scores):
    best = np.array(json.loads((BENCH / "best_known.json").read_text())["scores"])
    found = align(*pairs_of(volumes(), 512), Volume(0.81)).scores
    assert found.mean() > np.mean(scores["seq_N512_R50_b1_centered"])
    assert np.mean(found < best - 0.01) <= 0.02


@pytest.mark.parametrize("num_repeats", [5, 50])
def test_adam_gives_the_same_volumes(scores, num_repeats):
    expected = np.array(scores[f"shmap2_N512_R{num_repeats}_b1_centered"][:64])
    found = align(*pairs_of(volumes(), 64), Volume(0.81), method="adam", num_repeats=num_repeats)
    np.testing.assert_allclose(found.scores, expected, atol=2e-3)


def test_features(scores):
    expected = np.array(scores["pharm_N64_R50_centered"]["shmap2"])
    clouds = pairs_of(features(), 64)
    adam = align(*clouds, Pharmacophore(), method="adam").scores
    np.testing.assert_allclose(adam, expected, atol=2e-3)
    assert align(*clouds, Pharmacophore()).scores.mean() > expected.mean()


def test_charged_volumes(scores):
    expected = np.array(scores["vol_esp_N64_R50_centered"]["shmap2"])
    clouds = pairs_of(charged_volumes(), 64)
    adam = align(*clouds, Charged(0.81, 0.1), method="adam").scores
    np.testing.assert_allclose(adam, expected, atol=2e-3)
    assert align(*clouds, Charged(0.81, 0.1)).scores.mean() > expected.mean()


@pytest.mark.parametrize(
    ("name", "overlap"),
    [("surf", Volume(SURFACE_ALPHA)), ("surf_esp", Charged(SURFACE_ALPHA, SURFACE_LAM))],
)
def test_surfaces_guided_by_atoms(scores, name, overlap):
    expected = np.array(scores[f"{name}_N8_R50_centered"]["shmap2"])
    guides = (*pairs_of(volumes(), 8), Volume(0.81))
    assert align(*pairs_of(surfaces(), 8), overlap, guides=guides).scores.mean() > expected.mean()
