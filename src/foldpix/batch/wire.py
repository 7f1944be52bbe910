"""A batch as messages that say themselves what they hold.

Header
    int64: a mark, the version, number of graphs, bytes of JSON, number of levels.
Description
    Bytes: JSON (schema, names of levels, name, dtype and shape of a row of each field), then the
    lengths of each graph at each level, int64, by level.
Fields
    Bytes of the live rows of each field, in the description's order; none for fields without a byte.
"""

import json
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.schema import LevelSchema
from foldpix.batch.storage import Level, Storage, tight_level, tight_storage

MARK, VERSION, HEADER_SIZE = 0x62617463685F5F66, 1, 5


def messages(storage: Storage) -> Iterator[Tensor]:
    """Header, description and fields of the live rows, on the storage's device but for the first two."""
    levels = storage.levels
    rows = [[key, str(live.dtype)[6:], list(live.shape[1:])] for key, live in storage.items()]
    text = json.dumps({"schema": storage.schema.to_dict(), "levels": list(levels), "rows": rows}).encode()
    lengths = b"".join(level.lengths.astype(np.int64).tobytes() for level in levels.values())
    yield torch.tensor([MARK, VERSION, storage.num_graphs, len(text), len(levels)])
    yield torch.frombuffer(bytearray(text + lengths), dtype=torch.uint8)
    for _, live in storage.items():
        if live.numel():
            yield as_bytes(live.detach().contiguous())


def read_header(header: Tensor) -> tuple[int, int, int]:
    """Number of graphs, bytes of JSON and number of levels.

    Raises
    ------
    ValueError
        If this is no batch, or one of another version.
    """
    mark, version, *counts = header.tolist()
    if mark != MARK or version != VERSION:
        raise ValueError(
            f"what came is no batch of version {VERSION}; send it by Batch.send of the same release"
        )
    return counts[0], counts[1], counts[2]


def read_storage(
    header: Tensor, read: Callable[[Tensor], None], device: torch.device, wire_device: torch.device
) -> Storage:
    """The storage behind a header; `read` fills a tensor on `wire_device` with the next message."""
    num_graphs, text_size, num_levels = read_header(header)
    description = torch.empty(text_size + 8 * num_levels * num_graphs, dtype=torch.uint8, device=wire_device)
    read(description)
    content = description.cpu().numpy().tobytes()
    plain = json.loads(content[:text_size])
    schema = LevelSchema.from_dict(plain["schema"])
    lengths = np.frombuffer(content[text_size:], dtype=np.int64).reshape(num_levels, num_graphs).copy()
    by_level = dict(zip(plain["levels"], lengths, strict=True))
    fields: dict[str, dict[str, Tensor]] = {name: {} for name in by_level}
    for key, dtype, shape in plain["rows"]:
        name = schema.fields[key].level
        shape = (int(by_level[name].sum()), *shape)
        rows = torch.empty(shape, dtype=getattr(torch, dtype), device=wire_device)
        if rows.numel():
            read(as_bytes(rows))
        fields[name][key] = rows.to(device)
    levels: dict[str, Level] = {name: tight_level(fields[name], by_level[name]) for name in by_level}
    return tight_storage(schema, levels, num_graphs)


def as_bytes(rows: Tensor) -> Tensor:
    """The memory of a contiguous tensor, of any dtype, dtype=uint8."""
    return rows.reshape(-1).view(torch.uint8)
