"""Which pairs `align.py` overlays."""

from collections.abc import Iterator
from itertools import combinations, product, starmap
from typing import NamedTuple

from foldpix.jobs.align_inputs import Entry, EntryPair, Input
from foldpix.jobs.schema.align import Mode


class Pairing(NamedTuple):
    """Pairs one after the other, and how many there are; None where they are not yet read."""

    pairs: Iterator[EntryPair]
    total: int | None


def pairing(ref: Input, fit: Input | None, mode: Mode | None) -> Pairing:
    """Pairs of what two inputs hold, or of one input with itself.

    Of many fits on one reference, the fits are read while they are overlaid.

    Raises
    ------
    ValueError
        If the mode does not go with how many there are, or the references cannot be used.
    """
    refs = _usable(ref)
    if fit is None:
        if mode not in (None, Mode.all_to_all):
            raise ValueError(
                f"mode={mode.name} needs fit=; without it all of ref={ref.path} go onto each other"
            )
        return Pairing(starmap(EntryPair, combinations(refs, 2)), len(refs) * (len(refs) - 1) // 2)
    if mode is Mode.one_to_many or (mode is None and len(refs) == 1):
        if len(refs) != 1:
            raise ValueError(f"mode=one_to_many needs one reference; ref={ref.path} holds {len(refs)}")
        return Pairing((EntryPair(refs[0], entry) for entry in fit.entries()), None)
    fits = list(fit.entries())
    if mode is Mode.all_to_all:
        return Pairing(starmap(EntryPair, product(refs, fits)), len(refs) * len(fits))
    if len(refs) != len(fits):
        raise ValueError(
            f"ref={ref.path} holds {len(refs)} and fit={fit.path} {len(fits)}; pairs need as many of each, "
            "one_to_many one reference; or say mode=all_to_all"
        )
    return Pairing(map(EntryPair, refs, fits), len(refs))


def _usable(ref: Input) -> list[Entry]:
    refs = list(ref.entries())
    if not any(entry.item is not None for entry in refs):
        reason = f", such as {refs[0].name} ({refs[0].error})" if refs else ""
        raise ValueError(f"nothing to align in ref={ref.path}: {len(refs)} failed{reason}")
    return refs
