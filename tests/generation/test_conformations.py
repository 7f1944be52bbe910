import numpy as np
import pytest

from foldpix.generation.conformations import (
    IDEAL,
    LETTERS,
    given_torsions,
    is_list_of_names,
    label_torsions,
    residue_letters,
    strings,
)


def test_letters_of_chains() -> None:
    assert residue_letters("HH-:EC", [3, 2]) == residue_letters("HH-EC", [3, 2]) == "HHCEC"


@pytest.mark.parametrize("name", ["ALPHA", "Alpha", "GLY", "hhhhh", "HHH H", "HHHHB", "?"])
def test_unknown_names_are_listed(name) -> None:
    with pytest.raises(
        ValueError, match=r"alpha, beta, ppii.*random, domain.*5 letters of HEGIPLTC or -"
    ) as error:
        residue_letters(name, [3, 2])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "letters, message",
    [
        ("HHHH", "4 letters; 5 residues"),
        ("HH:EEE", r"\[2, 3\] letters, not \[3, 2\]"),
        ("HHH:EE:", "3, 2, 0"),
    ],
)
def test_letters_must_fit_the_chains(letters, message) -> None:
    with pytest.raises(ValueError, match=message):
        residue_letters(letters, [3, 2])


@pytest.mark.parametrize(
    "letters", ["HHHHH", ["alpha", 5], ("alpha",), np.array(["alpha"]), np.array(["a"], object)]
)
def test_what_is_a_list_of_names(letters) -> None:
    assert is_list_of_names(letters) == (not isinstance(letters, str))


def test_torsions_are_taken_from_anything_like_an_array(rng) -> None:
    torsions = rng.uniform(-3, 3, (2, 4, 3))
    np.testing.assert_array_equal(given_torsions(torsions.tolist(), [4], 2), torsions)
    np.testing.assert_array_equal(given_torsions(torsions[0], [1, 3], 2), torsions[:1])
    assert not is_list_of_names(torsions.tolist())


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (3, 4, 3), (4,), (2, 4, 3, 1)])
def test_shapes_are_named(shape) -> None:
    with pytest.raises(ValueError, match=r"must be \(4, 3\) or \(2, 4, 3\) in radian"):
        given_torsions(np.zeros(shape), [4], 2)


def test_torsions_of_thousands_of_turns_are_refused() -> None:
    with pytest.raises(ValueError, match="a torsion of 20000 radian; take full turns away"):
        given_torsions(np.full((4, 3), 2e4), [4], 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_torsions_are_finite(value) -> None:
    torsions = np.zeros((2, 4, 3))
    torsions[1, 2, 0] = value
    with pytest.raises(ValueError, match=r"at \(1, 2, 0\); all must be finite"):
        given_torsions(torsions, [4], 2)


@pytest.mark.parametrize("thing", [None, 5, {}, object(), [[None]], [[1.0], [2.0, 3.0]]])
def test_things_that_are_no_conformation(thing) -> None:
    with pytest.raises(ValueError, match=r"unknown conformation|torsions have shape|must be finite"):
        given_torsions(thing, [4], 2)


@pytest.mark.parametrize("name", sorted(set(IDEAL) - {"curved", "helix_310", "pi"}))
def test_ideal_torsions_lie_in_the_basin_of_their_letter(name) -> None:
    phi, psi, label = IDEAL[name]
    assert label_torsions(np.radians([[[phi, psi, 180.0]] * 3])) == [label * 3]


def test_basins_repeat_every_turn(rng) -> None:
    torsions = rng.uniform(-np.pi, np.pi, (20, 30, 3))
    labels = label_torsions(torsions)
    assert set("".join(labels)) == set("HEPLC")
    assert label_torsions(torsions + 2 * np.pi * rng.integers(-3, 4, torsions.shape)) == labels


def test_strings_are_the_rows(rng) -> None:
    rows = ["".join(rng.choice(list(LETTERS), 7)) for _ in range(5)]
    assert strings(np.array([list(row.encode()) for row in rows], dtype=np.uint8)) == rows
