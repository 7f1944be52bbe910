"""Options of `align.py`; what it computes is checked in a process of its own, as JAX is not for this one."""

import os
import subprocess
import sys

import pytest

from foldpix.jobs import align
from foldpix.jobs.align_inputs import kind_of
from foldpix.jobs.schema.align import AlignConfig, Kind, Method, Mode, Overlap, Points
from tests.conftest import REPO


@pytest.mark.slow  # it compiles for half a minute; the README has such an overlay, which its own test runs
@pytest.mark.parametrize("marker", ["not slow", "slow"])
def test_overlays(marker):
    command = [sys.executable, "-m", "pytest", "-q", "-m", marker, "tests/jobs/align_checks.py"]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def folder(tmp_path):
    for name in (
        "mixed/a.sdf",
        "mixed/b.cif.gz",
        "molecules/deep/c.SMI",
        "proteins/d.pdb",
        "nothing/notes.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_endings_say_what_a_folder_holds(folder):
    assert kind_of(folder / "molecules") is Kind.molecules
    assert kind_of(folder / "proteins") is kind_of(folder / "mixed" / "b.cif.gz") is Kind.proteins


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ref": "nowhere"}, "ref=.*nowhere does not exist; give a file or a folder"),
        ({"ref": "proteins", "fit": "nowhere"}, "fit=.*nowhere does not exist"),
        ({"ref": "nothing"}, r"no file to align in .*; known endings are \.sdf, "),
        ({"ref": "mixed"}, "holds molecules and proteins; say kind=molecules or kind=proteins"),
        ({"ref": "proteins", "fit": "molecules"}, "one holds molecules, the other proteins"),
        ({"ref": "proteins", "overlap": Overlap.charges}, "overlap=charges is for molecules"),
        (
            {"ref": "proteins", "method": Method.adam},
            "method=adam is for molecules; leave it out for proteins",
        ),
        ({"ref": "molecules", "points": Points.cb}, "points=cb is for proteins"),
        ({"ref": "proteins", "top_k": 0}, "top_k=0 must be at least 1"),
        ({"ref": "proteins", "workers": 0}, "workers=0 must be at least 1"),
    ],
)
def test_contradictions(options, message, folder):
    paths = {name: str(folder / options[name]) for name in ("ref", "fit") if name in options}
    with pytest.raises(ValueError, match=message) as caught:
        align.run(AlignConfig(out=str(folder / "out"), **(options | paths)))
    assert "\n" not in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("module", "source", "command"),
    [("rdkit", "molecules", r"\[molecules\]"), ("jax", "proteins", r"\[jax\]")],
)
def test_extras_that_are_not_installed(module, source, command, folder, monkeypatch):
    monkeypatch.setattr(align, "find_spec", lambda name: None if name == module else object())
    with pytest.raises(ValueError, match=f"{module} is not installed; pip install '.{command}'"):
        align.run(AlignConfig(ref=str(folder / source), out=str(folder / "out")))


def test_a_mode_without_fits(folder):
    (folder / "proteins" / "d.pdb").write_text(
        "".join(
            f"ATOM  {3 * i + k:5d}  {name:<3} ALA A{i:4d}    {3.8 * i:8.3f}{k:8.3f}{i % 2:8.3f}  1.00  0.00\n"
            for i in range(5)
            for k, name in enumerate(("N", "CA", "C"))
        )
    )
    with pytest.raises(ValueError, match="mode=pairs needs fit="):
        align.run(AlignConfig(ref=str(folder / "proteins"), out=str(folder / "out"), mode=Mode.pairs))


def test_errors_are_one_line_of_the_command(tmp_path):
    command = [
        sys.executable,
        str(REPO / "align.py"),
        f"ref={tmp_path / 'gone.sdf'}",
        f"out={tmp_path / 'out'}",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"error: ref={tmp_path / 'gone.sdf'} does not exist; give a file or a folder\n"
