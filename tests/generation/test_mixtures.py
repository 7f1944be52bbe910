import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation.conformations import LETTERS
from foldpix.generation.laws import TorsionLaws, laws_of
from foldpix.generation.mixtures import CLASSES, cis_mixtures, letter_codes, residue_codes, trans_mixtures
from foldpix.generation.walk import walk
from foldpix.structure.residues import THREE_LETTER
from scripts.generation.fit_mixtures import residue_kinds
from scripts.generation.labelled_chains import LabelledChain, labelled
from tests.conftest import STRUCTURES

#: Draws of torsions end at so many spreads.
CUTOFF = 2.5


def drawn(letters: str, names: tuple[str, ...], num: int, rng: np.random.Generator) -> np.ndarray:
    """Torsions (num, L, 3) in degrees, by a plain reading of what the laws mean."""
    laws: TorsionLaws = laws_of(letters, (names,), 0, np.arange(num))[0]
    torsions = np.empty((num, len(names), 3))
    for i, row in enumerate(laws.which[0]):
        k = np.searchsorted(laws.cumulative[row], rng.random(num), side="right")
        z = np.clip(rng.standard_normal((num, 3)), -CUTOFF, CUTOFF)
        a, b, c, d = laws.spread[row, k].T
        moved = np.stack([a * z[:, 0], b * z[:, 0] + c * z[:, 1], d * z[:, 2]], axis=1)
        torsions[:, i] = laws.mean[row, k] + moved
    return (np.degrees(torsions) + 180.0) % 360.0 - 180.0


def atoms(torsions: np.ndarray) -> np.ndarray:
    coords = np.empty((*torsions.shape[:2], 5, 3))
    walk(np.radians(torsions), np.zeros(torsions.shape[1], dtype=bool), coords)
    return coords


@pytest.fixture(scope="module")
def real_chains() -> list[LabelledChain]:
    """Chains that no table was fitted on."""
    folder = STRUCTURES
    if not folder.is_dir():
        pytest.skip("no folder of real chains beside the repository")
    rows = [line.split(",") for line in (folder / "index.csv").read_text().splitlines()]
    split = rows[0].index("split")
    files = [row[0] for row in rows if row[split] == "val" and row[0].startswith("chains/")]
    return [labelled(folder / file) for file in files[::3]]


def test_weights_are_shares() -> None:
    assert np.allclose(trans_mixtures().weight.sum(axis=-1), 1.0, atol=1e-6)
    before_proline = [len(kind) == 2 for kind in CLASSES for _ in "LD"]
    assert np.allclose(cis_mixtures().weight.sum(axis=-1), before_proline)


def test_d_residues_are_mirror_images() -> None:
    for mixtures in (trans_mixtures(), cis_mixtures()):
        left, right = (np.take(mixtures.mean, range(k, 12, 2), axis=-3) for k in (0, 1))
        np.testing.assert_array_equal(right[..., :2], -left[..., :2])
        np.testing.assert_array_equal(right[..., 2], left[..., 2])


def test_codes_name_class_and_hand(rng) -> None:
    letters = rng.choice(list("AGPPWL"), (20, 30))
    from_letters = letter_codes(np.vectorize(ord)(letters).astype(np.uint8))
    for row, codes in zip(letters, from_letters, strict=True):
        hands = ["D-" if hand else "" for hand in rng.random(30) < 0.3]
        names = [hand + THREE_LETTER[letter] for hand, letter in zip(hands, row, strict=True)]
        kinds = [own if own in "GP" else "A" for own in row]
        kinds = [
            own + ("P" if after == "P" else "") for own, after in zip(kinds, [*row[1:], ""], strict=True)
        ]
        expected = [2 * CLASSES.index(kind) + len(hand) // 2 for kind, hand in zip(kinds, hands, strict=True)]
        assert residue_codes([names]).tolist() == expected
        assert codes.tolist() == [code - code % 2 for code in expected]


def test_classes_end_with_their_chain() -> None:
    assert residue_codes([["ALA", "GLY"], ["PRO"]]).tolist() == [0, 2, 4]


@pytest.mark.parametrize("letters, overlap", [("H", 0.85), ("E", 0.9), ("GTCPL", 0.85)])
@pytest.mark.parametrize("amino_acid", ["A", "G"])
def test_drawn_plots_cover_those_of_real_chains(real_chains, letters, overlap, amino_acid, rng) -> None:
    """Overlap of histograms over cells of 30 degrees; glycines are few."""
    kinds = np.concatenate([residue_kinds(chain.sequence) for chain in real_chains])
    labels = np.array([letter for chain in real_chains for letter in chain.labels])
    torsions = np.concatenate([chain.torsions for chain in real_chains])
    chosen = (kinds == amino_acid) & np.isin(labels, list(letters)) & np.isfinite(torsions).all(axis=1)
    counts = {letter: int((labels[chosen] == letter).sum()) for letter in letters}
    names = ("ALA", THREE_LETTER[amino_acid], "ALA")
    made = [drawn(letter * 3, names, 2 * num, rng)[:, 1, :2] for letter, num in counts.items() if num]
    shared = np.minimum(_histogram(torsions[chosen, :2]), _histogram(np.concatenate(made))).sum()
    assert shared > (overlap if amino_acid == "A" else 0.7)


def _histogram(points: np.ndarray) -> np.ndarray:
    cells = np.linspace(-180, 180, 13)
    return np.histogram2d(*points.T, bins=[cells, cells])[0] / len(points)


@pytest.mark.parametrize("letter", LETTERS)
def test_prolines_keep_to_what_their_ring_allows(letter, rng) -> None:
    phi = drawn(letter * 3, ("ALA", "PRO", "ALA"), 4000, rng)[:, 1, 0]
    assert (phi > -115.0).all() and (phi < -25.0).all()
    assert -80.0 < phi.mean() < -52.0 and phi.std() < 15.0


def test_glycines_alone_are_often_left_handed(rng) -> None:
    torsions = drawn("CCCC", ("ALA", "GLY", "ALA", "ALA"), 4000, rng)
    positive = (torsions[:, :, 0] > 0).mean(axis=0)
    assert 0.4 < positive[1] < 0.7 and 0.01 < positive[2] < 0.1


def test_helical_coil_is_rare_before_proline(rng) -> None:
    torsions = drawn("CCCC", ("ALA", "ALA", "PRO", "ALA"), 4000, rng)
    helical = ((torsions[..., 0] < 0) & (np.abs(torsions[..., 1] + 30.0) < 50.0)).mean(axis=0)
    assert helical[1] < 0.05 < 0.15 < helical[0]


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("middle", ["ALA", "GLY", "PRO"])
@pytest.mark.parametrize("last", ["ALA", "PRO"])
def test_neighbours_do_not_collide(letter, middle, last, rng) -> None:
    """N, CA, C, O, CB of three residues, but for those with two bonds or fewer between them."""
    coords = atoms(drawn(letter * 3, ("ALA", middle, last), 1500, rng))
    flat = coords.reshape(len(coords), 15, 3)
    bonds = np.zeros((15, 15), dtype=int)
    for i in range(0, 15, 5):
        for a, b in ((0, 1), (1, 2), (2, 3), (1, 4)) + (((2, 5),) if i < 10 else ()):
            bonds[i + a, i + b] = bonds[i + b, i + a] = 1
    apart = np.argwhere(np.triu(np.linalg.matrix_power(bonds + np.eye(15, dtype=int), 2) == 0))
    apart = apart[~((apart == 9).any(axis=1) & (middle == "GLY"))]
    distances = np.linalg.norm(flat[:, apart[:, 0]] - flat[:, apart[:, 1]], axis=-1)
    assert distances.min() > 2.2


def test_helices_are_helices(rng) -> None:
    """As many as of real alpha helices: biotite gives their ends away, as those of ideal ones."""
    assert _share("H" * 20, "a", rng) > 0.8
    assert _share("E" * 20, "b", rng) > 0.5
    assert _share("C" * 20, "a", rng) < 0.02


def _share(letters: str, kind: str, rng: np.random.Generator) -> float:
    made = atoms(drawn(letters, ("ALA",) * len(letters), 60, rng))
    chain = struc.AtomArray(3 * len(letters))
    chain.atom_name = np.tile(["N", "CA", "C"], len(letters))
    chain.res_id = np.repeat(np.arange(len(letters)), 3) + 1
    chain.res_name[:], chain.chain_id[:] = "ALA", "A"
    found = []
    for coords in made:
        chain.coord = coords[:, :3].reshape(-1, 3).astype(np.float32)
        found.append(struc.annotate_sse(chain) == kind)
    return float(np.mean(found))
