"""What of a file becomes a residue, and which of its places. Each test runs in every format."""

import numpy as np
import pytest

from foldpix.structure import StructureError, count_chains, read_structure


def sequences(path, **options):
    return {(b.model, b.chain): b.sequence for b in read_structure(path, **options)}


def test_a_plain_chain(entry, residue):
    (backbone,) = read_structure(entry([*residue(0, "MET"), *residue(1, "LYS"), *residue(2, "VAL")]))
    assert (backbone.name, backbone.chain, backbone.model, backbone.sequence) == ("1abc", "A", 1, "MKV")
    assert backbone.num_dropped == 0
    assert len(backbone.chain_breaks) == 0
    expected = [[[3.8 * i, 0, 0], [1.1 + 3.8 * i, 0.9, 0], [2.3 + 3.8 * i, 0, 0]] for i in range(3)]
    np.testing.assert_allclose(backbone.coords, expected, atol=6e-4)
    assert backbone.coords.dtype == np.float32


def test_atoms_in_any_order(entry, residue):
    (backbone,) = read_structure(entry(residue(0, atoms="O C CA N") + residue(1, atoms="CA O N C")))
    np.testing.assert_allclose(backbone.coords[1], [[3.8, 0, 0], [4.9, 0.9, 0], [6.1, 0, 0]], atol=6e-4)


def test_chains_in_the_order_of_the_file(entry, residue):
    path = entry([*residue(0, chain="B"), *residue(1, chain="B"), *residue(0, "GLY", chain="A")])
    assert list(sequences(path).items()) == [((1, "B"), "AA"), ((1, "A"), "G")]


def test_no_water_ligand_ion_or_nucleic_acid(entry, residue):
    path = entry(
        [
            *residue(0, "TRP"),
            *residue(1, "  A", atoms="OP1"),
            *residue(2, "HOH", hetero=True, atoms="O"),
            *residue(3, "ACT", hetero=True, atoms="C O"),
            *residue(4, " CA", hetero=True, atoms="CA"),
            *residue(5, " DG", chain="B", atoms="OP1"),
        ]
    )
    assert sequences(path) == {(1, "A"): "W"}


def test_modified_residues(entry, residue):
    names = ["MSE", "SEP", "HYP", "DAL", "UNK", "SEC", "PYL", "ASX", "CRO"]
    path = entry([row for i, name in enumerate(names) for row in residue(i, name, hetero=True)])
    assert sequences(path) == {(1, "A"): "MSPAXXXXX"}


def test_free_amino_acid_is_no_residue(entry, residue):
    path = entry([*residue(0), *residue(1), *residue(20, "GLU", hetero=True)])
    (backbone,) = read_structure(path)
    assert (backbone.sequence, backbone.num_dropped) == ("AA", 0)


def test_hetero_residues_at_both_ends_are_residues(entry, residue):
    path = entry([*residue(0, "MSE", hetero=True), *residue(1), *residue(2, "MSE", hetero=True)])
    assert sequences(path) == {(1, "A"): "MAM"}


@pytest.mark.parametrize(("gap", "joined"), [(0.4, True), (0.6, False)])
def test_a_peptide_bond_is_at_most_two_angstrom(entry, residue, gap, joined):
    path = entry([*residue(0), *residue(1 + gap / 3.8, "MSE", number=2, hetero=True)])  # C-N 1.5 + gap
    assert sequences(path) == {(1, "A"): "AM" if joined else "A"}


def test_altloc_of_the_highest_occupancy(entry, residue):
    path = entry(
        [
            *residue(0, altloc="A", occupancy=0.3, lift=1),
            *residue(0, altloc="B", occupancy=0.45, lift=2),
            *residue(0, altloc="C", occupancy=0.25, lift=3),
        ]
    )
    (backbone,) = read_structure(path)
    np.testing.assert_allclose(backbone.coords[:, :, 2], 2)


def test_first_of_equal_altlocs(entry, residue):
    rows = zip(
        residue(0, altloc="B", occupancy=0.5, lift=1),
        residue(0, altloc="A", occupancy=0.5, lift=2),
        strict=True,
    )
    (backbone,) = read_structure(entry([row for pair in rows for row in pair]))
    np.testing.assert_allclose(backbone.coords[:, :, 2], 1)


def test_altlocs_of_one_atom_only(entry, residue):
    path = entry(
        [
            *residue(0, atoms="N"),
            *residue(0, atoms="CA", altloc="A", occupancy=0.4, lift=1),
            *residue(0, atoms="CA", altloc="B", occupancy=0.6, lift=2),
            *residue(0, atoms="C O"),
        ]
    )
    (backbone,) = read_structure(path)
    np.testing.assert_allclose(backbone.coords[0, :, 2], [0, 2, 0])


def test_an_incomplete_altloc_does_not_win(entry, residue):
    path = entry(
        [
            *residue(0, atoms="CA", altloc="A", occupancy=0.9),
            *residue(0, altloc="B", occupancy=0.1, lift=5),
        ]
    )
    (backbone,) = read_structure(path)
    np.testing.assert_allclose(backbone.coords[0, :, 2], 5)


def test_conformers_listed_one_behind_the_other(entry, residue):
    rows = [
        row
        for altloc, z in (("A", 0), ("B", 1))
        for i in range(3)
        for row in residue(i, altloc=altloc, lift=z)
    ]
    (backbone,) = read_structure(entry(rows))
    assert backbone.sequence == "AAA"
    np.testing.assert_allclose(backbone.coords[..., 2], 0)


@pytest.mark.parametrize("interleaved", [True, False])
def test_microheterogeneity_gives_one_residue(entry, residue, interleaved):
    pro = residue(0, "PRO", altloc="A", occupancy=0.4)
    ser = residue(0, "SER", altloc="B", occupancy=0.6)
    rows = [row for pair in zip(pro, ser, strict=True) for row in pair] if interleaved else pro + ser
    assert sequences(entry(rows + residue(1))) == {(1, "A"): "SA"}


def test_microheterogeneity_without_altloc(entry, residue):
    path = entry([*residue(0, "LEU"), *residue(0, "ILE"), *residue(1)])
    assert sequences(path) == {(1, "A"): "LA"}


def test_microheterogeneity_with_altloc_on_one_name(entry, residue):
    path = entry([*residue(0, "SER", occupancy=0.6), *residue(0, "PRO", altloc="B", occupancy=0.4, lift=1)])
    (backbone,) = read_structure(path)
    assert backbone.sequence == "S"
    np.testing.assert_allclose(backbone.coords[..., 2], 0)


def test_insertion_codes_are_residues(entry, residue):
    path = entry(
        [
            *residue(0, "GLY", number=52),
            *residue(1, "SER", number=52, icode="A"),
            *residue(2, "SER", number=52, icode="B"),
            *residue(3, "TYR", number=-3),
        ]
    )
    assert sequences(path) == {(1, "A"): "GSSY"}


def test_repeated_numbers_are_other_residues(entry, residue):
    first, second = [*residue(0), *residue(1)], [*residue(9, "GLY", number=1), *residue(10, "GLY", number=2)]
    assert sequences(entry(first + second)) == {(1, "A"): "AAGG"}


@pytest.mark.parametrize("atoms", ["CA C O", "N C O", "N CA O", "O"])
def test_incomplete_residues_are_dropped_and_counted(entry, residue, atoms):
    (backbone,) = read_structure(entry([*residue(0), *residue(1, "TRP", atoms=atoms), *residue(2, "GLY")]))
    assert (backbone.sequence, backbone.num_dropped) == ("AG", 1)
    assert backbone.chain_breaks.tolist() == [0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_coordinates_that_are_not_finite_drop_the_residue(entry, residue, value):
    (backbone,) = read_structure(entry([*residue(0), *residue(1, lift=value), *residue(2), *residue(3)]))
    assert (len(backbone), backbone.num_dropped) == (3, 1)
    assert np.isfinite(backbone.coords).all()


def test_drops_are_counted_per_chain(entry, residue):
    path = entry(
        [*residue(0), *residue(1, atoms="CA"), *residue(0, chain="B"), *residue(2, chain="C", atoms="CA")]
    )
    assert {b.chain: b.num_dropped for b in read_structure(path)} == {"A": 1, "B": 0}


def test_models(entry, residue):
    rows = [
        row
        for model, n in ((3, 2), (5, 3))
        for chain in "AB"
        for i in range(n)
        for row in residue(i, chain=chain, model=model)
    ]
    path = entry(rows)
    assert sequences(path) == {(1, "A"): "AA", (1, "B"): "AA"}
    assert sequences(path, models="all") == {
        (1, "A"): "AA",
        (1, "B"): "AA",
        (2, "A"): "AAA",
        (2, "B"): "AAA",
    }


def test_every_chain_is_counted_whatever_it_lacks(entry, residue):
    path = entry(
        [
            *residue(0),
            *residue(0, chain="B"),
            *residue(1, chain="C", atoms="CA"),
            *residue(2, "HOH", chain="W", hetero=True, atoms="O"),
            *residue(3, "  U", chain="R", atoms="OP1"),
            *residue(0, model=2),
            *residue(1, chain="C", atoms="CA", model=2),
        ]
    )
    assert count_chains(path) == 5
    assert len(read_structure(path)) == 2
    assert len(read_structure(path, models="all")) == 3


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"atoms": "CA"}, "2 amino-acid residues, none with N, CA and C"),
        ({"lift": np.nan}, "2 amino-acid residues, none with N, CA and C"),
        ({"res_name": "  U", "atoms": "OP1"}, "no amino-acid residue"),
        ({"res_name": "HOH", "atoms": "O", "hetero": True}, "no amino-acid residue"),
    ],
)
def test_no_protein(entry, residue, rows, reason):
    path = entry([*residue(0, **rows), *residue(1, **rows)])
    with pytest.raises(StructureError) as error:
        read_structure(path)
    assert str(error.value) == reason
