"""Real entries, each with the outcome that its content deserves.

Chains and lengths follow from tables that the reader does not look at: in PDB files SEQRES less REMARK 465,
in mmCIF and BinaryCIF files the residues of pdbx_poly_seq_scheme that were observed.
"""

import csv
import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from foldpix.geometry import virtual_cb
from foldpix.structure import StructureError, place_oxygen, read_structure

STRUCTURES = Path(__file__).parents[3] / "shared" / "structures"
pytestmark = pytest.mark.skipif(not STRUCTURES.is_dir(), reason="../shared/structures is absent")

PENTAMERS = {
    "A": 202,
    "B": 208,
    "C": 202,
    "D": 202,
    "E": 202,
    "F": 206,
    "G": 202,
    "H": 198,
    "I": 200,
    "J": 201,
}
CHAINS = {
    "1aki.bcif.gz": {"A": 129},
    "1aki.cif.gz": {"A": 129},
    "1aki.pdb.gz": {"A": 129},
    "1dix.pdb.gz": {"A": 208},  # insertion code X on a number of its own
    "1f2n.bcif.gz": {"A": 189, "B": 189, "C": 212},  # calcium ions are called CA, too
    "1gya.bcif.gz": {"A": 105},  # first of 18 NMR models; the glycan is a chain of its own
    "1igy.pdb.gz": {"A": 213, "B": 434, "C": 213, "D": 434},  # antibody, insertion codes A to C; sugars E, F
    "1k6p.cif.gz": {"A": 99, "B": 99},  # altlocs 1 and 2
    "1l2y.bcif.gz": {"A": 20},  # first of 38 NMR models
    "2axd.bcif.gz": {"S": 76},  # first of 12 NMR models
    "3o5r.cif.gz": {"A": 128},  # 144 CA records: 16 of them second conformers
    "3wip.bcif.gz": PENTAMERS,
    "4zxb.bcif.gz": {"A": 214, "B": 218, "C": 187, "D": 182, "E": 800},  # seven sugar chains left out
    "5eil.pdb.gz": {"A": 158, "B": 159, "C": 159},  # BP5, a hetero residue in the chain
    "5h73.cif.gz": {"A": 363},
    "5ugo.cif.gz": {"A": 326},  # polymerase; the DNA chains T, P, D are none
    "7gsa.bcif.gz": {"A": 284},
    "altloc.cif.gz": {"A": 1},  # SER in two conformers and PRO at number 22
    "lsp_1a1xA.pdb.gz": {"A": 106},
    "lsp_1a62A.pdb.gz": {"A": 122},
    "plip_1eve.pdb.gz": {"A": 534},
    "plip_1osn.pdb.gz": {"A": 325, "B": 315, "C": 313, "D": 315},
    "plip_1vsn.pdb.gz": {"A": 215},
    "plip_1xdn.pdb.gz": {"A": 265},  # three MSE
    "plip_2ndo.pdb.gz": {"A": 189},  # first of 10 NMR models
    "plip_3pxf.pdb.gz": {"A": 302},
    "plip_4dst.pdb.gz": {"A": 180},
    "plip_5ddr.pdb.gz": {"C": 94, "D": 94},  # RNA chains A and B have a free glutamine each
    "plip_6nhb.pdb.gz": {"A": 416, "B": 414},
    "res_ids.cif.gz": {"A": 3},  # chains C and E to L are sugars
}
REASONS = {
    "4gxy.bcif.gz": "no amino-acid residue",  # RNA only
    "hetatm.pdb.gz": "no amino-acid residue",  # a ligand only
}
NUM_MODELS = {"1gya.bcif.gz": 18, "1l2y.bcif.gz": 38, "2axd.bcif.gz": 12, "plip_2ndo.pdb.gz": 10}


def test_the_table_is_complete():
    assert {path.name for path in (STRUCTURES / "raw_examples").iterdir()} == {*CHAINS, *REASONS}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name):
    backbones = read_structure(STRUCTURES / "raw_examples" / name)
    assert {backbone.chain: len(backbone) for backbone in backbones} == CHAINS[name]
    assert {backbone.model for backbone in backbones} == {1}
    assert {backbone.name for backbone in backbones} == {name.split(".")[0]}
    assert sum(backbone.num_dropped for backbone in backbones) == 0
    assert not any("X" in backbone.sequence for backbone in backbones)


@pytest.mark.parametrize("name", REASONS)
def test_no_protein(name):
    with pytest.raises(StructureError) as error:
        read_structure(STRUCTURES / "raw_examples" / name)
    assert str(error.value) == REASONS[name]


@pytest.mark.parametrize("name", NUM_MODELS)
def test_all_models(name):
    backbones = read_structure(STRUCTURES / "raw_examples" / name, models="all")
    assert [backbone.model for backbone in backbones] == list(range(1, NUM_MODELS[name] + 1))
    assert len({backbone.sequence for backbone in backbones}) == 1
    assert not any(np.array_equal(a.coords, b.coords) for a, b in itertools.pairwise(backbones))


def test_one_entry_in_three_formats():
    first, *others = (
        read_structure(STRUCTURES / "raw_examples" / f"1aki.{kind}.gz") for kind in ("pdb", "cif", "bcif")
    )
    assert first[0].sequence.startswith("KVFGRCELAAAMKRHGLDNYRGYSLGNWVCAAKFESNFNTQATNRNTDGS")
    for other in others:
        assert other[0].sequence == first[0].sequence
        np.testing.assert_allclose(other[0].coords, first[0].coords, atol=1e-6)


def test_the_conformer_of_the_highest_occupancy():
    assert read_structure(STRUCTURES / "raw_examples" / "altloc.cif.gz")[0].sequence == "P"


def _column(path, name):
    """Places of one atom by residue number, from the columns of the PDB format."""
    with gzip.open(path, "rt") as file:
        lines = [line for line in file if line.startswith("ATOM") and line[12:16].strip() == name]
    return {int(line[22:26]): [float(line[i : i + 8]) for i in (30, 38, 46)] for line in lines}


def test_placed_oxygen_and_cb_are_near_the_deposited_ones():
    oxygen, carbon = [], []
    for path in sorted((STRUCTURES / "chains").iterdir())[::120]:
        (backbone,) = read_structure(path)
        numbers = {number: i for i, number in enumerate(_column(path, "CA"))}
        for errors, placed, name in (
            (oxygen, place_oxygen(backbone.coords), "O"),
            (carbon, virtual_cb(backbone.coords), "CB"),
        ):
            deposited = _column(path, name)
            errors += [
                np.linalg.norm(placed[numbers[k]] - xyz) for k, xyz in deposited.items() if k in numbers
            ]
    assert len(oxygen) > 4_000 and len(carbon) > 4_000
    assert np.median(oxygen) < 0.15 and np.median(carbon) < 0.15
    assert np.percentile(oxygen, 95) < 0.3 and np.percentile(carbon, 95) < 0.3


def _index():
    with (STRUCTURES / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _differs(row):
    backbones = read_structure(STRUCTURES / row["file"])
    found = [(b.chain, b.sequence, len(b.chain_breaks), b.num_dropped) for b in backbones]
    return found != [("A", row["sequence"], int(row["n_breaks"]), 0)] or len(row["sequence"]) != int(
        row["n_residues"]
    )


def test_every_hundredth_chain_agrees_with_the_index():
    assert [row["file"] for row in _index()[::100] if _differs(row)] == []


@pytest.mark.slow
def test_every_chain_agrees_with_the_index():
    rows = _index()
    assert len(rows) == 4_074
    assert [row["file"] for row in rows if _differs(row)] == []
