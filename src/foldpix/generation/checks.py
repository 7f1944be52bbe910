"""Numbers as users give them."""

import operator
from typing import Any

import numpy as np


def whole_number(name: str, value: Any, least: int, most: int = 2**63 - 1) -> int:
    """The value as int; ``ValueError`` if it is no whole number from `least` to `most`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool | np.bool_) or not least <= number <= most:
        raise ValueError(f"{name}={value!r} is no whole number from {least} to {most}")
    return number


def real_number(name: str, value: Any, least: float, most: float, unit: str) -> float:
    """The value as float; ``ValueError`` if it is no number from `least` to `most`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not least <= number <= most:
        raise ValueError(f"{name}={value!r} is no number from {least:g} to {most:g}{unit}")
    return number
