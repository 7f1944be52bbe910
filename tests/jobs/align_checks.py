"""`align.py` on molecules and backbones; run by test_align.py in a process of its own."""

import csv

import numpy as np
import pytest
from PIL import Image
from rdkit import Chem

from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.jobs import align, align_work
from foldpix.jobs.schema.align import AlignConfig, Kind, Mode, Overlap
from foldpix.structure import Backbone, read_structure, write_structure
from tests.alignment.conftest import embed
from tests.evaluation.conftest import random_chain

SMILES = {"ethanol": "CCO", "propanol": "CCCO", "butane": "CCCC", "broken": "C1CC", "methane": "C"}


@pytest.fixture
def smiles(tmp_path):
    path = tmp_path / "small.smi"
    path.write_text("".join(f"{text} {name}\n" for name, text in SMILES.items()))
    return path


@pytest.fixture
def structures(tmp_path):
    """Three chains, two of them the same somewhere else, and a broken file."""
    folder = tmp_path / "structures"
    folder.mkdir()
    chains = [random_chain(48, 0), random_chain(48, 0) + 30.0, random_chain(47, 1)]
    for number, coords in enumerate(chains):
        write_structure(folder / f"c{number}.pdb", Backbone(coords, "A" * len(coords), chain="A"))
    (folder / "torn.cif").touch()
    return folder


def run(tmp_path, **options):
    out = tmp_path / "out"
    figures = align.run(AlignConfig(out=str(out), workers=2, **options))
    with (out / "scores.csv").open() as file:
        return figures, out, list(csv.DictReader(file))


def tanimoto(ref, fit):
    """Of heavy atoms, as they lie, in float64."""

    def overlap(a, b):
        return np.exp(-0.405 * np.sum((a[:, None] - b) ** 2, axis=-1)).sum()

    both = overlap(ref, fit)
    return both / (overlap(ref, ref) + overlap(fit, fit) - both)


def test_molecules_all_on_all(smiles, tmp_path, capsys):
    figures, out, rows = run(tmp_path, ref=str(smiles), top_k=3)
    assert (figures["pairs"], figures["aligned"], figures["failed"]) == (10, 6, 4)
    assert [(row["ref"], row["fit"]) for row in rows if row["status"] == "failed"] == [
        ("ethanol", "small_4"), ("propanol", "small_4"), ("butane", "small_4"), ("small_4", "methane"),
    ]  # fmt: skip
    assert {row["reason"].partition(": ")[2] for row in rows} == {"", "RDKit reads no molecule from it"}
    scores = sorted((float(row["score"]) for row in rows if row["score"]), reverse=True)
    poses = list(Chem.SDMolSupplier(str(out / "poses.sdf")))
    assert [float(mol.GetProp("score")) for mol in poses] == pytest.approx(scores[:3])
    assert figures["best_score"] == pytest.approx(scores[0], abs=1e-4)
    assert not list(out.glob("*.tmp")) and np.array(Image.open(out / "best.png")).std() > 5
    assert "RDKit reads no molecule from it" in capsys.readouterr().out


def test_written_poses_have_the_written_scores(smiles, tmp_path):
    mols = tmp_path / "ref.sdf"
    _, out, _ = run(tmp_path, ref=str(smiles))
    (first, *_) = Chem.SDMolSupplier(str(out / "poses.sdf"))
    with Chem.SDWriter(str(mols)) as writer:
        writer.write(first)
    figures, out, rows = run(tmp_path, ref=str(mols), fit=str(out / "poses.sdf"))
    assert figures["best_score"] == pytest.approx(1.0, abs=1e-5)
    assert len(rows) == 6
    ref = first.GetConformer().GetPositions()
    for mol in Chem.SDMolSupplier(str(out / "poses.sdf")):
        score = tanimoto(ref, mol.GetConformer().GetPositions())
        assert score == pytest.approx(float(mol.GetProp("score")), abs=2e-4)  # SDF rounds coordinates


def test_pairs(smiles, tmp_path):
    figures, _, rows = run(tmp_path, ref=str(smiles), fit=str(smiles))
    assert [(row["ref"], row["fit"]) for row in rows][:2] == [
        ("ethanol", "ethanol"),
        ("propanol", "propanol"),
    ]
    assert figures["mean_score"] == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(ValueError, match=r"needs one reference; ref=.* holds 5$"):
        run(tmp_path, ref=str(smiles), fit=str(smiles), mode=Mode.one_to_many)
    fewer = tmp_path / "fewer.smi"
    fewer.write_text("CC\nCCC\n")
    with pytest.raises(ValueError, match=r"holds 5 and fit=.*fewer\.smi 2; pairs need as many"):
        run(tmp_path, ref=str(smiles), fit=str(fewer))
    assert run(tmp_path, ref=str(smiles), fit=str(fewer), mode=Mode.all_to_all)[0]["pairs"] == 10


@pytest.mark.slow
@pytest.mark.parametrize("overlap", Overlap)
def test_every_overlap(overlap, smiles, tmp_path):
    figures, _, rows = run(tmp_path, ref=str(smiles), fit=str(smiles), overlap=overlap)
    good = [float(row["score"]) for row in rows if row["status"] == "aligned"]
    assert good == pytest.approx([1.0] * len(good), abs=1e-3)
    assert figures["aligned"] >= 2


@pytest.mark.slow
def test_backbones_one_on_many(structures, tmp_path):
    figures, out, rows = run(tmp_path, ref=str(structures / "c0.pdb"), fit=str(structures))
    assert [row["fit"] for row in rows] == ["c0", "c1", "c2", "torn"]
    assert [row["status"] for row in rows] == ["aligned"] * 3 + ["failed"]
    assert rows[3]["reason"] == "fit: the file is empty"
    assert float(rows[1]["tm_score"]) == pytest.approx(1.0, abs=1e-3) and rows[1]["matched"] == "48"
    assert float(rows[2]["tm_score"]) < 0.7
    assert figures["best_score"] == pytest.approx(1.0, abs=1e-3)
    ref = read_structure(structures / "c0.pdb")[0]
    moved = read_structure(out / "poses" / "0002_c1_on_c0.pdb")[0]
    assert moved.coords == pytest.approx(ref.coords, abs=0.01)


@pytest.mark.slow
def test_the_chains_of_a_manifest(structures, tmp_path):
    row = ManifestRow(Status.CONVERTED, "", "one", "A", 48, source=str(structures / "c0.pdb"))
    rows = [row, ManifestRow(Status.CONVERTED, "", "two", "A", 48, source=str(tmp_path / "gone.pdb"))]
    write_manifest(tmp_path, [*rows, ManifestRow(Status.FAILED, "bad", source="nothing")])
    figures, _, rows = run(tmp_path, ref=str(structures / "c1.pdb"), fit=str(tmp_path / "manifest.csv"))
    assert [(row["fit"], row["status"]) for row in rows] == [("two", "failed"), ("one", "aligned")]
    assert "No such file" in rows[0]["reason"] and figures["failed"] == 1


@pytest.mark.slow
def test_poses_of_an_earlier_run_are_gone(structures, tmp_path):
    run(tmp_path, ref=str(structures))
    _, out, _ = run(tmp_path, ref=str(structures), top_k=1)
    assert len(list((out / "poses").iterdir())) == 1


def test_structures_of_other_origin_stay(structures, tmp_path):
    mine = tmp_path / "out" / "poses" / "mine.pdb"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ValueError, match=r"structures of other origin, such as mine\.pdb"):
        run(tmp_path, ref=str(structures))
    assert mine.read_text() == "mine"


def test_nothing_half_written_looks_whole(smiles, tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("the power went")

    monkeypatch.setattr(align_work, "overlay_pairs", fail)
    with pytest.raises(RuntimeError):
        run(tmp_path, ref=str(smiles))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_nothing_overlaid(tmp_path, smiles):
    bad = tmp_path / "bad.smi"
    bad.write_text("C1CC\n")
    with pytest.raises(ValueError, match=r"nothing to align in ref=.*: 1 failed, such as bad_1 \(RDKit"):
        run(tmp_path, ref=str(bad), fit=str(smiles))
    one = tmp_path / "one.smi"
    one.write_text("CCO\n")
    with pytest.raises(
        ValueError, match="nothing overlaid: fit: RDKit reads no molecule from it; what became"
    ):
        run(tmp_path, ref=str(one), fit=str(bad))


def test_a_small_molecule_in_a_pdb_file(tmp_path, smiles):
    mol = embed("CCO")
    path = tmp_path / "ethanol.pdb"
    Chem.MolToPDBFile(mol, str(path))
    figures, _, _ = run(tmp_path, ref=str(path), fit=str(smiles), kind=Kind.molecules)
    assert figures["aligned"] == 4
