"""Length bins: chains of like length travel together, so that little of a batch is padding."""

BINS: tuple[tuple[int, int], ...] = ((40, 64), *((low, low + 63) for low in range(65, 1024, 64)))
MIN_LENGTH = BINS[0][0]
MAX_LENGTH = BINS[-1][1]


class LengthError(ValueError):
    """A chain too short or too long for every bin."""


def bin_name(length: int) -> str:
    """The folder of chains with ``length`` residues, such as ``bin_40_64``.

    Raises
    ------
    LengthError
        Outside 40 to 1024 residues.
    """
    check_length(length)
    low, high = next(limits for limits in BINS if length <= limits[1])
    return f"bin_{low}_{high}"


def check_length(length: int, shortest: int = MIN_LENGTH, longest: float = MAX_LENGTH) -> None:
    """Raise LengthError outside ``shortest`` to 1024 residues."""
    if length < shortest:
        raise LengthError(f"{length} residues, fewer than {shortest}")
    if length > longest:
        raise LengthError(f"{length} residues, more than {longest}")
