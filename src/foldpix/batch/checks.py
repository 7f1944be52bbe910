"""What a field's values must be."""

from collections.abc import Mapping

import torch
from torch import Tensor

from foldpix.batch.schema import Field


def as_rows(name: str, value: object, field: Field, ragged: bool) -> Tensor:
    """The value as a tensor with the rows of one graph in front.

    Raises
    ------
    ValueError
        If rows have another shape than the field's, or a level of one row a graph gets another number.
    """
    rows = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=field.dtype)
    if rows.ndim == 0:
        if ragged:
            raise ValueError(
                f"{name} is a single number; level {field.level} needs a row for each of its rows"
            )
        rows = rows.reshape(1)
    check_row_shape(name, rows, field)
    if not ragged and len(rows) != 1:
        raise ValueError(
            f"{name} has {len(rows)} rows; level {field.level} has one a graph, so give shape (1, ...)"
        )
    return rows


def check_row_shape(name: str, rows: Tensor, field: Field) -> None:
    """``ValueError`` if a row has not the field's shape."""
    if field.shape is not None and tuple(rows.shape[1:]) != field.shape:
        wanted = ", ".join(["rows", *map(str, field.shape)])
        raise ValueError(f"{name} has shape {tuple(rows.shape)}; it must be ({wanted})")


def check_index(name: str, rows: Tensor, field: Field, num_targets: int) -> None:
    """``ValueError`` if an index is no whole number or counts a row that the graph has not."""
    if rows.dtype not in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        raise ValueError(f"{name} has dtype {rows.dtype}; indices of {field.index_of} must be whole numbers")
    if rows.numel() == 0:
        return
    low, high = (int(bound) for bound in torch.aminmax(rows))
    if high >= num_targets or (low < 0 and not field.padded):
        worst = high if high >= num_targets else low
        raise ValueError(f"{name} has index {worst}; the graph has {num_targets} rows of {field.index_of}")


def check_index_room(name: str, dtype: torch.dtype, num_targets: int) -> None:
    """``ValueError`` if the dtype cannot count so many rows."""
    if num_targets - 1 > torch.iinfo(dtype).max:
        raise ValueError(
            f"{name} of dtype {dtype} cannot count {num_targets} rows; give int64 or fewer graphs"
        )


def check_same_keys(ours: Mapping[str, object], theirs: Mapping[str, object], whose: str) -> None:
    """``ValueError`` that names the fields only one of the two has."""
    if ours.keys() != theirs.keys():
        missing, extra = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"also has {', '.join(extra)}"] * bool(
            extra
        )
        raise ValueError(f"{whose} {' and '.join(parts)}; all must have the same fields")


def check_same_rows(name: str, ours: Tensor, theirs: Tensor, whose: str) -> None:
    """``ValueError`` if dtype or shape of rows differ."""
    if ours.dtype != theirs.dtype or ours.shape[1:] != theirs.shape[1:]:
        raise ValueError(
            f"{name} of {whose} has rows {theirs.dtype} {tuple(theirs.shape[1:])}; "
            f"they must be {ours.dtype} {tuple(ours.shape[1:])}"
        )
