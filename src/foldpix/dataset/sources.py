"""Which structure files of a folder are still to be converted, and under which key."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from foldpix.dataset.manifest import ManifestRow, Status
from foldpix.structure import StructureError
from foldpix.structure.formats import file_format


class Source(NamedTuple):
    """A file to convert, or why it is not even read."""

    path: str
    refusal: str = ""


def key_of(path: str | Path, chain: str = "") -> str:
    """The id of a file, or of one of its chains: the stem, with ``_<chain>``.

    Dots, blanks and slashes become "_": shards split a member's name at its first dot.
    """
    try:
        stem = file_format(path).name
    except StructureError:
        stem = Path(path).stem
    return re.sub(r"[.\s/\\]", "_", f"{stem}_{chain}" if chain else stem)


def structure_files(root: Path) -> Iterator[Source]:
    """Every file with a structure's suffix under ``root``, while the folder is being read.

    Links to files are followed, links to folders are not. A file ``root`` is yielded whatever its suffix.
    """
    if root.is_file():
        yield Source(str(root))
        return
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from structure_files(Path(entry.path))
                elif _has_structure_suffix(entry.name):
                    yield Source(entry.path)
    except OSError as error:
        yield Source(str(root), f"cannot list the folder: {error.strerror}")


class PendingSources:
    """The sources that are not done, in the folder's order; iterate once.

    A source is done when all its rows are converted and their PNGs exist. Of several sources with one key the
    first is taken, or the one that was converted before; the others carry a refusal.

    Parameters
    ----------
    root : Path
        Folder or file.
    out : Path
        Root of the data set.
    rows : iterable of ManifestRow
        What earlier runs did.
    redo : bool
        Take the done ones too.
    """

    def __init__(self, root: Path, out: Path, rows: Iterable[ManifestRow], redo: bool = False) -> None:
        self.num_done = 0
        self._root, self._out, self._redo = root, out, redo
        self._known: dict[str, list[ManifestRow]] = defaultdict(list)
        self._converted: dict[str, str] = {}
        self._claimed: dict[str, str] = {}
        for row in rows:
            self._known[row.source].append(row)
            if row.status is Status.CONVERTED:
                self._converted[key_of(row.source)] = row.source

    def __iter__(self) -> Iterator[Source]:
        for source in structure_files(self._root):
            if source.refusal:
                yield source
            elif not self._redo and self._is_done(source.path):
                self.num_done += len(self._known[source.path])
            else:
                yield self._claim(source)

    def _is_done(self, path: str) -> bool:
        return path in self._known and all(
            row.status is Status.CONVERTED and (self._out / row.bin / f"{row.id}.png").exists()
            for row in self._known[path]
        )

    def _claim(self, source: Source) -> Source:
        key = key_of(source.path)
        first = self._claimed.get(key) or self._converted.get(key, source.path)
        # A source that an earlier run converted may have been moved here since; this run's claims stand.
        if first != source.path and (key in self._claimed or Path(first).exists()):
            return source._replace(refusal=f"duplicate id {key}, also {first}")
        self._claimed[key] = source.path
        return source


def _has_structure_suffix(name: str) -> bool:
    try:
        file_format(name)
    except StructureError:
        return False
    return True
