"""The chains to evaluate: of structure files, or of a split of a dataset."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from foldpix.dataset.bins import LengthError, bin_name
from foldpix.dataset.manifest import Status, read_manifest
from foldpix.dataset.sources import key_of
from foldpix.evaluation.chains import Chain, DatasetChain, Skipped, StructureChain
from foldpix.structure import StructureError, read_structure


def structure_chains(files: Iterable[str], d_max: float) -> Iterator[Chain | Skipped]:
    """Every chain of the first model of each file; what is unreadable, too short or too long as skipped."""
    for file in files:
        try:
            backbones = read_structure(file)
        except (StructureError, OSError) as error:
            yield Skipped(key_of(file), str(error))
            continue
        for backbone in backbones:
            name = key_of(file, backbone.chain if len(backbones) > 1 else "")
            try:
                bin_name(len(backbone))
            except LengthError as error:
                yield Skipped(name, str(error))
            else:
                yield StructureChain(name, backbone, d_max)


def dataset_chains(root: Path, split: str) -> list[Chain]:
    """The converted chains of a split, by id.

    Raises
    ------
    ValueError
        If there is no manifest or the split has no chain.
    """
    try:
        rows = [row for row in read_manifest(root) if row.status is Status.CONVERTED]
    except FileNotFoundError as error:
        raise ValueError(
            f"{root} holds no manifest.csv; python preprocess.py source=DIR out={root} makes a dataset"
        ) from error
    chosen = sorted((row for row in rows if row.split == split), key=lambda row: row.id)
    if not chosen:
        counts = Counter(row.split for row in rows)
        there = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none at all"
        raise ValueError(f"no chain of split={split} in {root}; there: {there}")
    return [DatasetChain(row, root) for row in chosen]


def take(candidates: Iterable[Chain | Skipped], limit: int | None) -> tuple[list[Chain], list[Skipped]]:
    """The first ``limit`` chains (None: all) and what was skipped; of equal ids the first counts."""
    chains: dict[str, Chain] = {}
    skipped: list[Skipped] = []
    for candidate in candidates:
        if isinstance(candidate, Skipped):
            skipped.append(candidate)
        elif candidate.id in chains:
            skipped.append(Skipped(candidate.id, "another chain has this id"))
        else:
            chains[candidate.id] = candidate
            if len(chains) == limit:
                break
    return list(chains.values()), skipped
