"""Pieces of tensors, one behind the other; the one place where rows are copied."""

from collections.abc import Sequence

import torch
from torch import Tensor

#: Index columns whose pieces are shifted one by one on the CPU; elsewhere a launch a piece would cost more.
_ONE_BY_ONE = "cpu"


def concatenate(pieces: list[Tensor], out: Tensor | None = None) -> Tensor:
    """Rows of all pieces, in a new tensor or in `out`, which has just as many."""
    if out is None:
        return torch.cat(pieces)
    with torch.no_grad():
        return torch.cat(pieces, out=out)


def concatenate_index(
    pieces: list[Tensor], shifts: Sequence[int], padded: bool, out: Tensor | None = None
) -> Tensor:
    """As :func:`concatenate`, with a shift added to each piece, but where `padded` not to negative values."""
    sizes = [len(piece) for piece in pieces]
    if out is None:
        out = pieces[0].new_empty((sum(sizes), *pieces[0].shape[1:]))
    if padded or out.device.type != _ONE_BY_ONE:
        torch.cat(pieces, out=out)
        return _shift_rows(out, sizes, shifts, padded)
    for target, piece, shift in zip(out.split(sizes), pieces, shifts, strict=True):
        torch.add(piece, shift, out=target)
    return out


def _shift_rows(rows: Tensor, sizes: Sequence[int], shifts: Sequence[int], padded: bool) -> Tensor:
    """Add the shift of its piece to each row, in place."""
    by_piece = torch.tensor(shifts, dtype=rows.dtype, device=rows.device)
    repeats = torch.tensor(sizes, device=rows.device)
    by_row = by_piece.repeat_interleave(repeats, output_size=sum(sizes))
    by_row = by_row.reshape(-1, *[1] * (rows.ndim - 1))
    return rows.add_(torch.where(rows < 0, 0, by_row) if padded else by_row)


def shifted_back(rows: Tensor, shift: int, padded: bool) -> Tensor:
    """New rows, less the shift, but where `padded` not for negative values."""
    return torch.where(rows < 0, rows, rows - shift) if padded else rows - shift
