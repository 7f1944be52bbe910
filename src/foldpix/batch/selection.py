"""Numbers of graphs, from the many ways of saying which."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def graph_number(index: Any, num_graphs: int) -> int:
    """One graph, counted from the end where negative; ``IndexError`` if there is none."""
    number = operator.index(index)
    if not -num_graphs <= number < num_graphs:
        raise IndexError(f"graph {number} of {num_graphs}; give {-num_graphs} to {num_graphs - 1}")
    return number % num_graphs


def graph_numbers(index: Any, num_graphs: int) -> np.ndarray:
    """The graphs of a number, a slice, numbers or a mask, in their order.

    A mask or numbers on a device are read once.

    Raises
    ------
    IndexError
        If there is no such graph, nothing is chosen, a mask has another length, or the kind is another.
    """
    if isinstance(index, slice):
        numbers = np.arange(num_graphs)[index]
    else:
        numbers = _numbers(_as_array(index), num_graphs)
    if len(numbers) == 0:
        raise IndexError("an empty selection of graphs; a batch has at least one (trim gives None for none)")
    return numbers


def mask_array(name: str, mask: Tensor, length: int) -> np.ndarray:
    """A mask on the host, shape (length,); one read of a device.

    Raises
    ------
    ValueError
        If it is no bool tensor of this length.
    """
    check_mask(name, mask, length)
    return mask.cpu().numpy()


def check_mask(name: str, mask: Tensor, length: int) -> None:
    """``ValueError`` if it is no bool tensor of this length."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise ValueError(f"{name} is {kind}; give a tensor of torch.bool")
    if mask.shape != (length,):
        raise ValueError(f"{name} has shape {tuple(mask.shape)}; it must be ({length},)")


def _as_array(index: Any) -> np.ndarray:
    if isinstance(index, Tensor):
        return index.detach().cpu().numpy()
    if isinstance(index, np.ndarray | np.integer) or (isinstance(index, int) and not isinstance(index, bool)):
        return np.asarray(index)
    if isinstance(index, Sequence) and not isinstance(index, str | bytes):
        kinds = {isinstance(one, bool | np.bool_) for one in index}
        if len(kinds) == 2:
            raise IndexError("an index of numbers and truth values; give one kind")
        return np.array(index) if len(index) else np.zeros(0, dtype=np.int64)
    raise IndexError(f"an index of type {type(index).__name__}; give an int, a slice, numbers or a mask")


def _numbers(array: np.ndarray, num_graphs: int) -> np.ndarray:
    if array.dtype == np.bool_:
        if array.shape != (num_graphs,):
            raise IndexError(f"a mask of shape {array.shape} for {num_graphs} graphs; give ({num_graphs},)")
        return np.flatnonzero(array)
    if array.dtype.kind not in "iu" or array.dtype == np.uint8:  # uint8 is as likely an old kind of mask
        raise IndexError(f"an index of {array.dtype}; give int64 for numbers or bool for a mask")
    flat = array.reshape(-1).astype(np.int64)
    wrong = flat[(flat < -num_graphs) | (flat >= num_graphs)]
    if len(wrong):
        graph_number(int(wrong[0]), num_graphs)
    return np.where(flat < 0, flat + num_graphs, flat)
