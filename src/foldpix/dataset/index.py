"""Where the PNGs lie inside a shard, so that any one of them is a single read."""

import tarfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

HEADER_BYTES = 512
#: Of the name, in a header.
NAME_BYTES = 100
FORMAT = "foldpix-index 1"


@dataclass(frozen=True)
class ShardIndex:
    """The whole samples of a shard, in file order.

    Parameters
    ----------
    keys : list of str
    offsets : ndarray, dtype=int64, shape=(n,)
        First byte of each PNG; its tar header lies in the 512 bytes before.
    sizes : ndarray, dtype=int64, shape=(n,)
        Bytes of each PNG.
    num_lost : int
        Samples known to be missing because the file is cut short or broken. A shard without an index file
        tells only that something is missing, not how much: then this is a lower bound.
    """

    keys: list[str]
    offsets: np.ndarray
    sizes: np.ndarray
    num_lost: int = 0

    def __len__(self) -> int:
        return len(self.keys)


def index_path(shard: Path) -> Path:
    """``train-000000.tar`` -> ``train-000000.idx``."""
    return shard.with_suffix(".idx")


def write_index(shard: Path) -> None:
    """Scan a finished shard once and write its index beside it, at once or not at all.

    Raises
    ------
    ValueError
        If the shard is not whole.
    """
    index = scan_shard(shard)
    if index.num_lost:
        raise ValueError(f"{shard} is cut short after {len(index)} samples: write it again")
    lines = [f"{FORMAT}\t{shard.stat().st_size}\t{len(index)}"]
    lines += [f"{o}\t{s}\t{k}" for o, s, k in zip(index.offsets, index.sizes, index.keys, strict=True)]
    temporary = index_path(shard).with_suffix(".idx.tmp")
    temporary.write_bytes(_to_bytes("\n".join(lines) + "\n"))
    temporary.replace(index_path(shard))


def read_index(shard: Path) -> ShardIndex:
    """The samples of a shard, from its index file or, where that is absent or of another file, from a scan.

    A shard shorter than its index says is used as far as it goes.
    """
    try:
        tar_bytes, index = _parse(index_path(shard))
    except (FileNotFoundError, ValueError):
        return scan_shard(shard)
    actual = shard.stat().st_size
    whole = _whole(index, actual)
    if actual > tar_bytes or not _describes(whole, shard):
        return scan_shard(shard)
    return whole


def is_indexed(shard: Path) -> bool:
    """Whether the shard has an index file, and is as long, begins and ends as that says."""
    try:
        tar_bytes, index = _parse(index_path(shard))
        return shard.stat().st_size == tar_bytes and _describes(index, shard)
    except (FileNotFoundError, ValueError):
        return False


def scan_shard(shard: Path) -> ShardIndex:
    """The samples of a shard from its tar headers; works for any WebDataset tar with PNG members."""
    keys, spans, end = [], [], 0
    with shard.open("rb") as file:
        with suppress(tarfile.ReadError), tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as archive:
            for member in archive:
                end = archive.offset
                key, suffix = split_name(member.name)
                if member.isfile() and suffix == "png":
                    keys.append(key)
                    spans.append((member.offset_data, member.size))
        file.seek(end)
        is_cut = file.read(HEADER_BYTES) != bytes(HEADER_BYTES)  # a tar ends with blocks of zeros
    index = _whole(_index(keys, spans), shard.stat().st_size)
    return replace(index, num_lost=max(index.num_lost, int(is_cut)))


def split_name(name: str) -> tuple[str, str]:
    """WebDataset's rule: the first dot of the file name parts key and suffix."""
    key, _, suffix = Path(name).name.partition(".")
    return key, suffix.lower()


def _index(keys: list[str], spans: Sequence[Sequence[int]] | np.ndarray) -> ShardIndex:
    table = np.asarray(spans, dtype=np.int64).reshape(-1, 2)
    return ShardIndex(keys, table[:, 0].copy(), table[:, 1].copy())


def _parse(path: Path) -> tuple[int, ShardIndex]:
    """Bytes of the tar that an index file describes, and its samples."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    head, *lines = text.removesuffix("\n").split("\n")
    found, tar_bytes, num_samples = head.split("\t")
    if found != FORMAT or len(lines) != int(num_samples):
        raise ValueError("an index of another format, or not whole")
    spans = np.loadtxt(lines, np.int64, delimiter="\t", usecols=(0, 1), comments=None) if lines else ()
    return int(tar_bytes), _index([line.split("\t", 2)[2] for line in lines], spans)


def _whole(index: ShardIndex, file_bytes: int) -> ShardIndex:
    """The samples that lie inside the file, the others counted."""
    count = int(np.count_nonzero(index.offsets + index.sizes <= file_bytes))
    return ShardIndex(index.keys[:count], index.offsets[:count], index.sizes[:count], len(index) - count)


def _describes(index: ShardIndex, shard: Path) -> bool:
    """Whether the first and the last sample lie where the index says.

    File times would not tell: copying a data set changes them, and tars are padded, so that sizes collide.
    """
    with shard.open("rb") as file:
        return all(_lies_there(index, number, file) for number in {0, len(index) - 1} if len(index))


def _lies_there(index: ShardIndex, number: int, file: BinaryIO) -> bool:
    file.seek(index.offsets[number] - HEADER_BYTES)
    try:
        member = tarfile.TarInfo.frombuf(file.read(HEADER_BYTES), "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    found, key = (_to_bytes(name) for name in (split_name(member.name)[0], index.keys[number]))
    # A longer name stands whole in a member of its own before, and here as far as it goes.
    is_cut = len(_to_bytes(member.name)) >= NAME_BYTES
    return member.size == index.sizes[number] and (key.startswith(found) if is_cut else key == found)


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
