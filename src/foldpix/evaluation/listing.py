"""The chains to evaluate: of structure files, or of a split of a dataset."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from foldpix.dataset.bins import MAX_LENGTH, MIN_LENGTH, LengthError, check_length
from foldpix.dataset.manifest import ManifestRow, Status, read_manifest
from foldpix.dataset.pictures import StoredPicture, Unreadable, shard_pictures
from foldpix.dataset.sources import key_of
from foldpix.evaluation.chains import Chain, DatasetChain, Skipped, StructureChain
from foldpix.structure import Backbone, StructureError, read_structure

_PNG_WIDTH_AT = 16  # behind the signature, and the length and name of the first chunk


def structure_chains(
    files: Iterable[str], d_max: float, shortest: int = MIN_LENGTH, longest: float = MAX_LENGTH
) -> Iterator[StructureChain | Skipped]:
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
                check_length(len(backbone), shortest, longest)
            except LengthError as error:
                yield Skipped(name, str(error))
            else:
                yield StructureChain(name, backbone, d_max)


def crops(chains: Iterable[StructureChain | Skipped], length: int) -> Iterator[StructureChain | Skipped]:
    """Windows of ``length`` residues, one behind the other, as chains; a shorter rest is left out."""
    for chain in chains:
        if isinstance(chain, Skipped):
            yield chain
            continue
        whole = chain.backbone
        for number, start in enumerate(range(0, len(whole) - length + 1, length)):
            stop = start + length
            part = Backbone(whole.coords[start:stop], whole.sequence[start:stop], chain=whole.chain)
            yield StructureChain(f"{chain.id}_{number}", part, chain.d_max)


def dataset_chains(root: Path, split: str) -> list[Chain | Skipped]:
    """The converted chains of a split, by id: from its shards, or from loose PNGs where it has none.

    The manifest tells where the structures are; shards do without it.

    Raises
    ------
    ValueError
        If there is no dataset or the split has no chain.
    """
    rows = _converted_rows(root)
    shards = sorted((root / "shards").glob(f"*/{split}-*.tar"))
    found: list[Chain | Skipped] = []
    if shards:
        structures = {row.id: row.source for row in rows}
        found += (each for shard in shards for each in _shard_chains(shard, structures))
    else:
        found += (_loose_chain(root, row) for row in rows if row.split == split)
    if not found:
        raise ValueError(_no_chain(root, split, rows))
    return sorted(found, key=lambda each: each.id)


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


def _converted_rows(root: Path) -> list[ManifestRow]:
    try:
        return [row for row in read_manifest(root) if row.status is Status.CONVERTED]
    except FileNotFoundError:
        return []


def _loose_chain(root: Path, row: ManifestRow) -> DatasetChain:
    return DatasetChain(StoredPicture(row.id, root / row.bin / f"{row.id}.png"), row.length, row.source)


def _shard_chains(shard: Path, structures: Mapping[str, str]) -> Iterator[Chain | Skipped]:
    with shard.open("rb") as file:
        for each in shard_pictures(shard):
            if isinstance(each, Unreadable):
                yield Skipped(str(shard), each.reason)
                continue
            file.seek(each.offset + _PNG_WIDTH_AT)
            length = int.from_bytes(file.read(4), "big")
            yield DatasetChain(each, length, structures.get(each.id, ""))


def _no_chain(root: Path, split: str, rows: Iterable[ManifestRow]) -> str:
    splits = {row.split for row in rows} | {
        shard.stem.rpartition("-")[0] for shard in (root / "shards").glob("*/*.tar")
    }
    if not splits:
        return f"{root} holds no chain, as PNG or in shards; python preprocess.py source=DIR out={root}"
    return f"no chain of split={split} in {root}; there: {', '.join(sorted(splits))}"
