"""The best poses of `align.py` as files."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foldpix.alignment.poses import apply
from foldpix.alignment.screening import Hit
from foldpix.jobs.align_inputs import EntryPair
from foldpix.structure import Backbone, write_structure
from foldpix.structure.whole import write_whole

#: Molecules in one file, structures in a folder.
MOLECULES, STRUCTURES = "poses.sdf", "poses"


def moved_backbone(backbone: Backbone, transform: np.ndarray) -> Backbone:
    """A backbone after a rigid motion, (4, 4)."""
    coords_L33 = apply(transform, backbone.coords.reshape(-1, 3)).reshape(-1, 3, 3)
    return Backbone(coords_L33, backbone.sequence, backbone.name, backbone.chain)


def write_backbones(folder: Path, hits: Sequence[Hit[EntryPair]]) -> None:
    """Fits on their references as ``<rank>_<fit>_on_<ref>.pdb``; those of an earlier run are gone then."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.pdb"):
        old.unlink()
    for rank, hit in enumerate(hits, start=1):
        ref, fit = hit.fit
        assert isinstance(fit.item, Backbone)
        write_structure(
            folder / f"{rank:04d}_{fit.name}_on_{ref.name}.pdb", moved_backbone(fit.item, hit.transform)
        )


def write_molecules(path: Path, hits: Sequence[Hit[EntryPair]]) -> None:
    """Fits on their references as records of an SDF, with reference and score among their properties."""
    from rdkit import Chem

    text = io.StringIO()
    writer = Chem.SDWriter(text)
    for rank, hit in enumerate(hits, start=1):
        ref, fit = hit.fit
        mol = fit.item.transformed(hit.transform).mol  # type: ignore[union-attr]
        mol.SetProp("_Name", fit.name)
        for name, value in (("rank", str(rank)), ("ref", ref.name), ("score", f"{hit.score:.5g}")):
            mol.SetProp(name, value)
        writer.write(mol)
    writer.close()
    write_whole(path, text.getvalue().encode())
