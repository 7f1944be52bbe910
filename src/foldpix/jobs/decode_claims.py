"""Which input a structure's name belongs to."""

from collections.abc import Mapping
from pathlib import Path

from foldpix.jobs.decode_rows import DecodedRow


class Claims:
    """Hands out ids, each once a run: no structure takes the place of another input's.

    Parameters
    ----------
    earlier : mapping of DecodedRow
        By id: the structures of earlier runs. Their ids stay with their sources, while these exist.
    """

    def __init__(self, earlier: Mapping[str, DecodedRow]) -> None:
        self._earlier = earlier
        self._taken: dict[str, str] = {}

    def refusal(self, id: str, source: str) -> str:
        """Why an input may not have this id; empty where it may, and then it has."""
        if not id:
            return "no name"
        if id in self._taken:
            return f"duplicate id {id}, also {self._taken[id]}"
        before = self._earlier[id].source if id in self._earlier else source
        if before != source and Path(before).exists():
            return f"duplicate id {id}, also {before}"
        self._taken[id] = source
        return ""
