"""Where pictures lie: PNGs in folders and in shards."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from foldpix.dataset.index import read_index
from foldpix.dataset.sources import key_of


@dataclass(frozen=True)
class StoredPicture:
    """A PNG in a file of its own, or in a shard.

    Parameters
    ----------
    id : str
        The chain's id: the file's stem, or its key in the shard.
    path : Path
        A PNG, or a shard with the PNG inside.
    offset, size : int
        Where the PNG lies in ``path``; a size of -1 is the rest of the file.
    """

    id: str
    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """The bytes of the PNG."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class Unreadable(NamedTuple):
    """A file or folder that holds no pictures, or not all it should, and why."""

    path: Path
    reason: str


def shard_pictures(shard: Path) -> Iterator[StoredPicture | Unreadable]:
    """The whole pictures of a shard, after a word on those it lost."""
    index = read_index(shard)
    if index.num_lost and not len(index):
        yield Unreadable(shard, "no tar, or cut short before the end of its first PNG")
    elif index.num_lost:
        yield Unreadable(shard, f"cut short, samples lost: at least {index.num_lost}")
    elif not len(index):
        yield Unreadable(shard, "no PNG inside")
    for key, offset, size in zip(index.keys, index.offsets.tolist(), index.sizes.tolist(), strict=True):
        yield StoredPicture(key, shard, offset, size)


def stored_pictures(root: Path) -> Iterator[StoredPicture | Unreadable]:
    """All pictures of a PNG, a shard (.tar) or a folder with both, read recursively, in the order of names.

    A picture that a data set holds as PNG and in its shards is taken once, as PNG.
    """
    files: list[Path] = []
    for each in _files(root) if root.is_dir() else [root]:
        if isinstance(each, Unreadable):
            yield each
        else:
            files.append(each)
    pngs = {path for path in files if path.suffix.lower() == ".png"}
    yield from (StoredPicture(key_of(path), path) for path in files if path in pngs)
    for shard in (path for path in files if path.suffix.lower() == ".tar"):
        try:
            for found in shard_pictures(shard):
                if isinstance(found, Unreadable) or _loose_copy(found) not in pngs:
                    yield found
        except OSError as error:
            yield Unreadable(shard, str(error.strerror or error))


def _files(root: Path) -> Iterator[Path | Unreadable]:
    """Files that are not hidden; links to files are followed, links to folders are not."""
    troubles: list[OSError] = []
    for folder, names, files in os.walk(root, onerror=troubles.append):
        names.sort()
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
    for error in troubles:
        yield Unreadable(Path(error.filename), f"cannot list the folder: {error.strerror}")


def _loose_copy(picture: StoredPicture) -> Path | None:
    """Where preprocess.py put the PNG that a sample of root/shards/<bin>/<shard>.tar is a copy of."""
    shards, bin = picture.path.parent.parent, picture.path.parent.name
    return shards.parent / bin / f"{picture.id}.png" if shards.name == "shards" else None
