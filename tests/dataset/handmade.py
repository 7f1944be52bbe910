"""Data sets made by hand, with tarfile and the PNG writer alone."""

import csv
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foldpix.image import Picture, png_bytes

COLUMNS = ["status", "reason", "id", "chain", "length", "bin", "split", "source", "checksum", "dropped"]


def make_picture(key: str, length: int) -> Picture:
    """Pixels that no other key has."""
    rng = np.random.default_rng([*key.encode(), length])
    pixels = rng.integers(0, 256, (length, length, 3), dtype=np.uint8)
    return Picture(pixels, key, "A", "G" * length, 80.0)


def write_tar(path: Path, samples: dict[str, bytes], with_json: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for key, data in samples.items():
            members = {f"{key}.png": data}
            if with_json:
                members[f"{key}.json"] = json.dumps({"name": key}).encode()
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


@dataclass
class DataSet:
    """A data set on the disk and the truth about it."""

    root: Path
    pictures: dict[str, Picture] = field(default_factory=dict)
    bins: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)

    def names(self, split: str = "train") -> list[str]:
        return [key for key in self.pictures if self.splits[key] == split]

    def shard(self, bin: str, number: int, split: str = "train") -> Path:
        return self.root / "shards" / bin / f"{split}-{number:06d}.tar"

    def add_shard(self, bin: str, number: int, num_samples: int, split: str = "train") -> None:
        low, high = map(int, bin.split("_")[1:])
        keys = [f"{split}-{low}-{number}-{i:03d}" for i in range(num_samples)]
        # Short chains of each bin, but the first of a shard as long as the bin allows.
        lengths = [min(high, low + 7 * i) if i else high for i in range(num_samples)]
        pictures = {k: make_picture(k, n) for k, n in zip(keys, lengths, strict=True)}
        data = {key: png_bytes(picture) for key, picture in pictures.items()}
        write_tar(self.shard(bin, number, split), data)
        (self.root / bin).mkdir(exist_ok=True)
        for key, png in data.items():
            (self.root / bin / f"{key}.png").write_bytes(png)
        self.pictures |= pictures
        self.bins |= dict.fromkeys(keys, bin)
        self.splits |= dict.fromkeys(keys, split)

    def write_manifest(self) -> None:
        with (self.root / "manifest.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerow(
                {"status": "failed", "reason": "empty", "source": "/a/empty.pdb", "length": 0, "dropped": 0}
            )
            for key in self.pictures:
                row = {"id": key, "bin": self.bins[key], "split": self.splits[key], "source": f"/a/{key}.pdb"}
                writer.writerow(
                    row | {"status": "converted", "length": len(self.pictures[key].pixels), "dropped": 0}
                )
