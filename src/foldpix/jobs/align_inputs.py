"""What `align.py` reads: molecules and backbones one after the other, and why some cannot be read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from foldpix.dataset.manifest import MANIFEST, Status, read_manifest
from foldpix.dataset.sources import key_of, structure_files
from foldpix.jobs.schema.align import Kind
from foldpix.structure import Backbone, StructureError, read_structure
from foldpix.structure.formats import file_format

if TYPE_CHECKING:
    from foldpix.alignment.molecule import Molecule

#: Points of a molecule's surface, made only where it is asked for.
NUM_SURFACE_POINTS = 200
# Fewer points lie on each other in many ways.
_LEAST_RESIDUES = 3
_MOLECULES = (".sdf", ".sd", ".mol", ".mol2", ".smi", ".smiles")
_EITHER = (".pdb", ".ent")


@dataclass(frozen=True, eq=False)
class Entry:
    """A molecule or a backbone.

    Parameters
    ----------
    name : str
    item : Molecule or Backbone, optional
        None where it cannot be read.
    error : str
        Why not.
    """

    name: str
    item: "Molecule | Backbone | None"
    error: str = ""


class EntryPair(NamedTuple):
    """A reference and what is fitted onto it."""

    ref: Entry
    fit: Entry

    @property
    def error(self) -> str:
        """Why the pair cannot be overlaid."""
        sides = (("reference", self.ref), ("fit", self.fit))
        return "; ".join(f"{side}: {entry.error}" for side, entry in sides if entry.item is None)


class Input(NamedTuple):
    """A file or folder, and how to read it."""

    path: Path
    kind: Kind

    def entries(self) -> Iterator[Entry]:
        """All that is there, in the order of the files' names."""
        if self.kind is Kind.proteins:
            yield from _backbones(self.path)
        else:
            yield from _molecules(self.path)


def kind_of(path: Path) -> Kind:
    """What a file or folder holds, by endings.

    Raises
    ------
    ValueError
        If that is nothing, or both.
    """
    kinds = {kind for file in _files(path) if (kind := _kind_of_file(file)) is not None}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds:
        raise ValueError(f"{path} holds molecules and proteins; say kind=molecules or kind=proteins")
    raise ValueError(
        f"no file to align in {path}; known endings are {', '.join(_MOLECULES)}, .pdb, .ent, .cif, .mmcif, "
        f".bcif, each also with .gz, and {MANIFEST}"
    )


def _kind_of_file(path: Path) -> Kind | None:
    if _ending(path) in _MOLECULES:
        return Kind.molecules
    if path.name == MANIFEST:
        return Kind.proteins
    try:
        file_format(path)
    except StructureError:
        return None
    return Kind.proteins


def _files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _molecules(root: Path) -> Iterator[Entry]:
    # RDKit is an extra; proteins do without.
    from foldpix.alignment.molecule import Molecule
    from foldpix.alignment.readers import read_molecules

    for path in _files(root):
        if root.is_dir() and _ending(path) not in (*_MOLECULES, *_EITHER):
            continue
        try:
            for record in read_molecules(path):
                try:
                    mol = None if record.mol is None else Molecule(record.mol, NUM_SURFACE_POINTS)
                    yield Entry(record.name, mol, record.error)
                except ValueError as error:
                    yield Entry(record.name, None, str(error))
        except (ValueError, OSError) as error:
            yield Entry(path.name, None, str(error))


def _backbones(root: Path) -> Iterator[Entry]:
    if root.name == MANIFEST and root.is_file():
        yield from _of_manifest(root)
        return
    for source in sorted(structure_files(root), key=lambda source: source.path):
        yield from _of_file(Path(source.path), source.refusal)


def _of_file(path: Path, refusal: str = "") -> Iterator[Entry]:
    try:
        chains = [] if refusal else read_structure(path)
    except (StructureError, OSError) as error:
        chains, refusal = [], str(error)
    if not chains:
        yield Entry(key_of(path), None, refusal or "no chain with a complete residue")
    for chain in chains:
        short = len(chain) < _LEAST_RESIDUES
        why = f"{len(chain)} residues; at least {_LEAST_RESIDUES} are needed" if short else ""
        yield Entry(key_of(path, chain.chain if len(chains) > 1 else ""), None if short else chain, why)


def _of_manifest(path: Path) -> Iterator[Entry]:
    """The chains that were converted, read from their sources."""
    for row in read_manifest(path.parent):
        if row.status is not Status.CONVERTED:
            continue
        found = list(_of_file(Path(row.source)))
        fitting = [
            entry.item
            for entry in found
            if isinstance(entry.item, Backbone) and entry.item.chain == row.chain
        ]
        if fitting:
            yield Entry(row.id, fitting[0])
        else:
            yield Entry(row.id, None, found[0].error or f"no chain {row.chain} in {row.source}")
