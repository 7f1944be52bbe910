import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation.conformations import IDEAL, LETTERS
from foldpix.generation.laws import OMEGA_DRIFT, PROLINE_DRIFT, TorsionLaws, laws_of, ragged_laws
from foldpix.generation.sampling import draw_torsions
from foldpix.generation.segments import break_at_prolines, sample_segments
from foldpix.geometry import build_backbone
from foldpix.structure.residues import THREE_LETTER

CHAIN = ("ALA", "PRO", "GLY", "D-ALA", "D-PRO", "LEU", "PRO", "TRP")
MEMBERS = np.arange(5, 9)


def same_laws(a: TorsionLaws, b: TorsionLaws) -> bool:
    """Whether the residues of both have the same laws, wherever these stand in the tables."""
    num = min(a.cumulative.shape[1], b.cumulative.shape[1])
    reach = max(a.cumulative.shape[1], b.cumulative.shape[1]) - num
    whole = all(
        np.array_equal(one[row][..., :num, :], other[other_row][..., :num, :])
        for one, other, row, other_row in (
            (a.mean, b.mean, a.which, b.which),
            (a.spread, b.spread, a.which, b.which),
            (a.cumulative[..., None], b.cumulative[..., None], a.which, b.which),
        )
    )
    rest = (table.cumulative[table.which][..., num:] for table in (a, b))
    return whole and all((part == 1.0).all() for part in rest) and reach >= 0


@pytest.mark.parametrize("name", IDEAL)
def test_ideal_conformations_as_biotite_measures_them(name) -> None:
    laws, labels = laws_of(name, [["ALA"] * 6], 0, MEMBERS)
    phi, psi, label = IDEAL[name]
    torsions = draw_torsions(laws, 0, MEMBERS, np.float64)
    assert torsions.shape == (4, 6, 3) and labels == [label * 6] * 4
    chain = struc.AtomArray(18)
    chain.coord = build_backbone(torsions)[0].reshape(18, 3).astype(np.float32)
    chain.atom_name, chain.res_id = np.tile(["N", "CA", "C"], 6), np.repeat(np.arange(6), 3)
    chain.res_name[:] = "ALA"
    measured = np.degrees(np.array(struc.dihedral_backbone(chain)))[:, 1:-1]
    np.testing.assert_allclose(measured[:2], [[phi] * 4, [psi] * 4], atol=0.01)
    np.testing.assert_allclose(np.abs(measured[2]), 180.0, atol=0.01)


@pytest.mark.parametrize("name", IDEAL)
def test_prolines_and_d_residues_of_ideal_conformations(name) -> None:
    laws, _ = laws_of(name, [CHAIN[:3], CHAIN[3:]], 0, MEMBERS)
    mean = np.degrees(laws.mean[laws.which[0], 0])
    phi, psi, _ = IDEAL[name]
    ring = phi if -90.0 <= phi <= -45.0 else -65.0
    expected = [
        (phi, psi),
        (ring, psi),
        (phi, psi),
        (-phi, -psi),
        (-ring, -psi),
        (phi, psi),
        (ring, psi),
        (phi, psi),
    ]
    np.testing.assert_allclose(mean[:, :2], expected)
    np.testing.assert_allclose(mean[:, 2], 180.0)
    assert not laws.spread.any() and laws.cumulative.shape[1] == 1


def test_drift_is_the_standard_deviation() -> None:
    laws, _ = laws_of("alpha", [["ALA", "PRO"]], 0, MEMBERS, drift=20.0)
    np.testing.assert_allclose(
        np.degrees(laws.spread[laws.which[0], 0]),
        [[20.0, 0.0, 20.0, OMEGA_DRIFT], [PROLINE_DRIFT, 0.0, 20.0, OMEGA_DRIFT]],
    )
    members = np.arange(4000)
    torsions = draw_torsions(laws_of("beta", [["ALA"] * 3], 0, members, drift=7.0)[0], 1, members)
    np.testing.assert_allclose(np.degrees(torsions.std(axis=(0, 1))), [7.0, 7.0, 2.0], rtol=0.05)


def test_drift_widens_drawn_laws_in_quadrature() -> None:
    exact, drifting = (laws_of("HCE", [["ALA"] * 3], 0, MEMBERS, drift=d)[0] for d in (0.0, 9.0))
    narrow, wide = (laws.spread[laws.which[0]] for laws in (exact, drifting))
    for spread, added in ((narrow, np.radians(9.0) ** 2), (wide, 0.0)):
        a, b, c, _ = np.moveaxis(spread, -1, 0)
        covariance = np.stack([a**2 + added, a * b, b**2 + c**2 + added])
        if added:
            expected = covariance
    np.testing.assert_allclose(covariance, expected, atol=1e-12)
    np.testing.assert_array_equal(exact.mean, drifting.mean)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("as_list", [True, False])
def test_given_torsions_are_taken_as_they_are(shared, as_list, rng) -> None:
    torsions = rng.uniform(-4, 4, (1 if shared else 4, 8, 3))
    given = torsions[0] if shared else torsions
    laws, labels = laws_of(given.tolist() if as_list else given, [CHAIN], 0, MEMBERS, cis_proline=1.0)
    drawn = draw_torsions(laws, 3, MEMBERS, np.float64)
    np.testing.assert_array_equal(drawn, np.broadcast_to(torsions, (4, 8, 3)))
    assert len(labels) == 4 and all(len(text) == 8 for text in labels)
    assert len(set(labels)) == (1 if shared else 4)
    drifting, _ = laws_of(given, [CHAIN], 0, MEMBERS, drift=3.0)
    np.testing.assert_allclose(
        np.degrees(np.unique(drifting.spread, axis=0)), [[[3.0, 0.0, 3.0, OMEGA_DRIFT]]]
    )


def test_letters_are_the_labels() -> None:
    laws, labels = laws_of("HEG:IPLT-", [CHAIN[:3], CHAIN[3:]], 0, MEMBERS)
    assert labels == ["HEGIPLTC"] * 4
    assert laws.which.shape == (1, 8) and laws.which.dtype == np.int32
    assert laws.cumulative.dtype == np.float32 and (laws.cumulative[:, -1] == 1.0).all()
    assert (np.diff(laws.cumulative, axis=1) >= 0.0).all()


def test_random_is_all_coil() -> None:
    laws, labels = laws_of("random", [CHAIN], 0, MEMBERS)
    assert labels == ["CCCCCCCC"] * 4
    assert same_laws(laws, laws_of("-" * 8, [CHAIN], 0, MEMBERS)[0])


def test_a_list_gives_each_member_its_own() -> None:
    names = ["alpha", "domain", "HHHHEEEE", "random"]
    laws, labels = laws_of(names, [CHAIN], 0, MEMBERS, drift=1.0)
    assert laws.which.shape == (4, 8)
    for k, name in enumerate(names):
        alone, label = laws_of(name, [CHAIN], 0, MEMBERS[k : k + 1], drift=1.0)
        assert label == [labels[k]]
        assert same_laws(laws._replace(which=laws.which[k : k + 1]), alone)
    assert laws_of(np.array(names), [CHAIN], 0, MEMBERS)[1] == labels


def test_domains_depend_on_seed_and_member_alone(rng) -> None:
    members = rng.integers(0, 2**40, 20)
    chains = [["ALA"] * 70, ["LEU"] * 50]
    laws, labels = laws_of("domain", chains, 2, members)
    assert laws.which.shape == (20, 120) and len(set(labels)) > 15
    alone, label = laws_of("domain", chains, 2, members[7:8])
    assert label == [labels[7]]
    assert same_laws(laws._replace(which=laws.which[7:8]), alone)
    assert [text[:70] for text in labels] == sample_segments([70] * 20, 2, members)
    assert [text[70:] for text in labels] != sample_segments([50] * 20, 2, members)


def broken(labels: str, sequence: str) -> str:
    codes = np.frombuffer(labels.encode(), dtype=np.uint8)[None]
    return break_at_prolines(codes, np.array(list(sequence)) == "P").tobytes().decode()


def test_domains_of_different_sequences(rng) -> None:
    letters = list("AAAAGPPWLK")
    sequences = ["".join(rng.choice(letters, length)) for length in (40, 7, 64, 1)]
    laws, labels = ragged_laws("domain", sequences, 2, MEMBERS)
    assert laws.which.shape == (4, 64)
    drawn = sample_segments([40, 7, 64, 1], 2, MEMBERS)
    assert labels == [broken(*pair) for pair in zip(drawn, sequences, strict=True)] != drawn
    for k, sequence in enumerate(sequences):
        names = [THREE_LETTER[letter] for letter in sequence]
        alone, _ = laws_of(labels[k], [names], 2, MEMBERS[k : k + 1])
        assert same_laws(laws._replace(which=laws.which[k : k + 1, : len(sequence)]), alone)


@pytest.mark.parametrize("conformation", ["alpha", "CCCCCCCC", "domain"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_so_many_bonds_before_proline_are_cis(conformation, share) -> None:
    members = np.arange(2000)
    laws, _ = laws_of(conformation, [CHAIN], 0, members, cis_proline=share)
    omega = draw_torsions(laws, 0, members)[..., 2]
    is_cis = (np.cos(omega) > 0).mean(axis=0)
    before_proline = [0, 3, 5]
    np.testing.assert_allclose(is_cis[before_proline], share, atol=0.04)
    assert not np.delete(is_cis, before_proline).any()


@pytest.mark.parametrize(
    "conformation", ["ALPHA", None, 5, "GLY", "alpha ", ["alpha", None, "beta", "beta"], {}]
)
def test_unknown_conformations_are_told_what_exists(conformation) -> None:
    with pytest.raises(ValueError, match=r"alpha, beta, .*random, domain, a string of 8 letters") as error:
        laws_of(conformation, [CHAIN], 0, MEMBERS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"conformation": ["alpha"] * 3}, "3 conformations for 4 members"),
        ({"conformation": []}, "shape"),
        ({"conformation": "HHHHHHH"}, "7 letters; 8 residues"),
        ({"conformation": np.zeros((3, 8, 3))}, r"\(3, 8, 3\); they must be \(8, 3\) or \(4, 8, 3\)"),
        ({"conformation": np.full((8, 3), np.nan)}, "must be finite"),
        ({"drift": -1.0}, "drift=-1.0"),
        ({"drift": np.nan}, "drift=nan"),
        ({"drift": np.inf}, "drift=inf"),
        ({"cis_proline": 1.5}, "cis_proline=1.5"),
        ({"cis_proline": np.nan}, "cis_proline=nan"),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        laws_of(**{"conformation": "alpha", "chains": [CHAIN], "seed": 0, "members": MEMBERS} | options)


def test_every_letter_and_class_has_a_law() -> None:
    chains = [["ALA", "GLY", "PRO", "ALA", "PRO", "GLY", "PRO", "PRO"]]
    for letter in LETTERS:
        laws, _ = laws_of(letter * 8, chains, 0, MEMBERS)
        assert np.isfinite(laws.mean[laws.which]).all()
        assert (laws.spread[laws.which][..., 0, [0, 2, 3]] > np.radians(1.0)).all()
