"""WebDataset shards, the same bytes on every run; of converted chains: per bin and split, sorted by id."""

import hashlib
import io
import json
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import track

from foldpix.dataset.index import is_indexed, write_index
from foldpix.dataset.manifest import ManifestRow, Status, read_manifest
from foldpix.image import Picture, read_png

#: A data set with this file holds shards of made-up chains, which no PNG stands for.
MADE = "made.json"
#: Part of every digest: a change of what a shard holds writes all of them again.
SHARD_FORMAT = "foldpix-shard 2"


class Member(NamedTuple):
    """A sample of a shard: the bytes of its PNG, and what its JSON says."""

    png: bytes
    about: dict[str, Any]


class Shard(NamedTuple):
    """A shard as it should be: its tar, and (key, PNG) of its samples in order."""

    path: Path
    samples: list[tuple[str, Path]]
    digest: str


class ShardCount(NamedTuple):
    """How many shards were written, were right already, and were removed as no longer wanted."""

    written: int
    unchanged: int
    removed: int


def write_shards(root: str | Path, shard_size: int = 1000, workers: int = 1) -> ShardCount:
    """Write ``root/shards/<bin>/<split>-000000.tar`` and so on, from the manifest's converted rows.

    A shard holds ``<key>.png`` (the file's bytes) and ``<key>.json`` (name, chain, length, sequence, d_max)
    of up to ``shard_size`` chains. Shards that hold the right chains already are left alone, those of
    earlier runs that are no longer wanted are removed.

    Raises
    ------
    ValueError
        If a PNG that the manifest names is absent or damaged, or the chains are made-up ones without PNGs.
    """
    root = Path(root)
    if (root / MADE).exists():
        raise ValueError(f"{root} holds made-up chains ({MADE}); choose another out")
    shards = list(_planned(root, read_manifest(root), shard_size))
    stale = [shard for shard in shards if not is_fresh(shard.path, shard.digest)]
    removed = _remove_others(root / "shards", {shard.path for shard in shards})
    pool = Parallel(n_jobs=min(workers, len(stale)) or 1, return_as="generator_unordered", batch_size=1)
    console = Console(stderr=True)
    done = pool(delayed(_write)(shard) for shard in stale)
    for _ in track(
        done, "shards", len(stale), console=console, transient=True, disable=not console.is_terminal
    ):
        pass
    return ShardCount(len(stale), len(shards) - len(stale), removed)


def _planned(root: Path, rows: Sequence[ManifestRow], shard_size: int) -> Iterator[Shard]:
    place = attrgetter("bin", "split")
    converted = sorted(
        (row for row in rows if row.status is Status.CONVERTED), key=attrgetter("bin", "split", "id")
    )
    for (folder, split), group in groupby(converted, key=place):
        members = list(group)
        for number, start in enumerate(range(0, len(members), shard_size)):
            part = members[start : start + shard_size]
            content = [SHARD_FORMAT, *(f"{row.id} {row.checksum}" for row in part)]
            digest = hashlib.md5("\n".join(content).encode("utf-8", "surrogateescape")).hexdigest()
            samples = [(row.id, root / folder / f"{row.id}.png") for row in part]
            yield Shard(root / "shards" / folder / f"{split}-{number:06d}.tar", samples, digest)


def is_fresh(path: Path, digest: str) -> bool:
    """Whether the shard was finished with this digest and is as its index says."""
    beside = path.with_suffix(".digest")
    return beside.exists() and beside.read_text() == digest and is_indexed(path)


def write_shard(path: Path, samples: Iterable[tuple[str, Member]], digest: str) -> None:
    """Write tar, index, and last the digest that vouches for both and for what ``samples`` wrote.

    Parameters
    ----------
    path : Path
        The tar; its folder is made if absent.
    samples : iterable of (str, Member)
        Key and content of each, in order. Taken one by one: only one is in memory at a time.
    digest : str
        What `is_fresh` will ask for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: what outlived a killed job may still be writing the same shard.
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    try:
        # GNU: the header of a PNG is the block before it, whatever the length and letters of its name.
        with tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT, encoding="utf-8") as archive:
            for key, member in samples:
                _add_sample(archive, key, member)
        path.with_suffix(".digest").unlink(missing_ok=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    write_index(path)
    path.with_suffix(".digest").write_text(digest)


def about(picture: Picture) -> dict[str, Any]:
    """What the JSON of a sample says of its picture."""
    return {
        "name": picture.name,
        "chain": picture.chain,
        "length": len(picture.sequence),
        "sequence": picture.sequence,
        "d_max": picture.d_max,
    }


def _write(shard: Shard) -> None:
    write_shard(shard.path, ((key, _read_member(png)) for key, png in shard.samples), shard.digest)


def _read_member(png: Path) -> Member:
    try:
        data = png.read_bytes()
        return Member(data, about(read_png(data)))
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(f"{png} is absent or damaged: delete it and convert its source again") from error


def add_member(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Append a file that is the same on every run."""
    member = tarfile.TarInfo(name)  # owner 0, time 0, mode 0644 unless told otherwise
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _add_sample(archive: tarfile.TarFile, key: str, member: Member) -> None:
    add_member(archive, f"{key}.png", member.png)
    add_member(archive, f"{key}.json", json.dumps(member.about).encode())


def _remove_others(folder: Path, wanted: set[Path]) -> int:
    """Remove the shards that are not ``wanted``, and what a killed run left half written."""
    others = [path for path in folder.glob("bin_*/*.tar") if path not in wanted]
    for path in others:
        # The digest first: without its tar it vouches for nothing.
        for suffix in (".digest", ".idx", ".tar"):
            path.with_suffix(suffix).unlink(missing_ok=True)
    for path in folder.glob("bin_*/*.tmp"):
        path.unlink()
    for path in {path.parent for path in others}:
        if not any(path.iterdir()):
            path.rmdir()
    return len(others)
