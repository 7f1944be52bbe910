"""How many nodes and edges there are."""

from abc import ABC, abstractmethod


class Sizes(ABC):
    """Counts of a graph or of a batch of graphs."""

    __slots__ = ()

    @abstractmethod
    def num_rows(self, level: str) -> int:
        """Rows of a level, 0 without such a field; ``ValueError`` if there is no such level."""

    @property
    def num_nodes(self) -> int:
        """Rows of level node."""
        return self.num_rows("node")

    @property
    def num_edges(self) -> int:
        """Rows of level edge."""
        return self.num_rows("edge")
