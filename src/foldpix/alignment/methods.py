"""The five ways to align, for a pair and for a batch alike."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from foldpix.alignment import modes
from foldpix.alignment.modes import Mode
from foldpix.alignment.pair_alignment import Search

Aligned = TypeVar("Aligned")
AlignedFeatures = TypeVar("AlignedFeatures")


class AlignmentMethods(ABC, Generic[Aligned, AlignedFeatures]):
    """Methods ``align_with_*``, which share these parameters.

    Parameters
    ----------
    num_repeats : int
        Poses that the search starts from.
    trans_init : bool
        Start at each point of the reference in turn instead.
    lr : float
        Rate of Adam.
    max_num_steps : int
        Steps of Adam, and the most that Newton's method takes.
    num_workers : int
        Devices that share the pairs. JAX has one CPU device unless told otherwise; a warning says how.
    use_shmap : bool
        Without it one device does all.
    n_buckets, num_buckets : int
        Accepted and without effect: pairs always go together by size.
    verbose : bool
        Show a progress bar.
    method : {"newton", "adam"}
        Newton's method from poses in the molecules' own axes, or Adam with a fixed number of steps.
    """

    def align_with_vol(
        self,
        no_H: bool = True,
        num_repeats: int = 50,
        trans_init: bool = False,
        lr: float = 0.1,
        max_num_steps: int = 200,
        num_workers: int = 1,
        use_shmap: bool = True,
        n_buckets: int = 1,
        verbose: bool = False,
        *,
        num_buckets: int = 1,
        method: str = "newton",
    ) -> Aligned:
        """By shape: a Gaussian on each heavy atom, or on each atom."""
        search = Search(
            num_repeats,
            trans_init,
            lr,
            max_num_steps,
            num_workers,
            use_shmap,
            n_buckets,
            verbose,
            num_buckets,
            method,
        )
        return self._align(modes.volume(no_H), search)

    def align_with_vol_esp(
        self,
        lam: float,
        no_H: bool = True,
        num_repeats: int = 50,
        trans_init: bool = False,
        lr: float = 0.1,
        max_num_steps: int = 200,
        num_workers: int = 1,
        use_shmap: bool = True,
        n_buckets: int = 1,
        verbose: bool = False,
        *,
        num_buckets: int = 1,
        method: str = "newton",
    ) -> Aligned:
        """By shape and partial charges, whose squared difference counts in units of `lam` (e^2, as 0.1)."""
        search = Search(
            num_repeats,
            trans_init,
            lr,
            max_num_steps,
            num_workers,
            use_shmap,
            n_buckets,
            verbose,
            num_buckets,
            method,
        )
        return self._align(modes.charged_volume(lam, no_H), search)

    def align_with_surf(
        self,
        alpha: float,
        num_repeats: int = 50,
        trans_init: bool = False,
        lr: float = 0.1,
        max_num_steps: int = 200,
        num_workers: int = 1,
        use_shmap: bool = True,
        n_buckets: int = 1,
        verbose: bool = False,
        *,
        num_buckets: int = 1,
        method: str = "newton",
    ) -> Aligned:
        """By surface points; `surface_alpha` in `foldpix.alignment.surfaces` knows an `alpha`."""
        search = Search(
            num_repeats,
            trans_init,
            lr,
            max_num_steps,
            num_workers,
            use_shmap,
            n_buckets,
            verbose,
            num_buckets,
            method,
        )
        return self._align(modes.surface(alpha), search)

    def align_with_esp(
        self,
        alpha: float,
        lam: float = 0.3,
        num_repeats: int = 50,
        trans_init: bool = False,
        lr: float = 0.1,
        max_num_steps: int = 200,
        num_workers: int = 1,
        use_shmap: bool = True,
        n_buckets: int = 1,
        verbose: bool = False,
        *,
        num_buckets: int = 1,
        method: str = "newton",
    ) -> Aligned:
        """By surface points and the potential there; `lam` in e^2 is scaled to the potential's unit."""
        search = Search(
            num_repeats,
            trans_init,
            lr,
            max_num_steps,
            num_workers,
            use_shmap,
            n_buckets,
            verbose,
            num_buckets,
            method,
        )
        return self._align(modes.charged_surface(alpha, lam), search)

    def align_with_pharm(
        self,
        similarity: str = "tanimoto",
        extended_points: bool = False,
        only_extended: bool = False,
        num_repeats: int = 50,
        trans_init: bool = False,
        lr: float = 0.1,
        max_num_steps: int = 200,
        num_workers: int = 1,
        use_shmap: bool = True,
        n_buckets: int = 1,
        verbose: bool = False,
        *,
        num_buckets: int = 1,
        method: str = "newton",
    ) -> AlignedFeatures:
        """By pharmacophore features; see `foldpix.alignment.overlaps.Pharmacophore`."""
        search = Search(
            num_repeats,
            trans_init,
            lr,
            max_num_steps,
            num_workers,
            use_shmap,
            n_buckets,
            verbose,
            num_buckets,
            method,
        )
        return self._align_features(modes.pharmacophore(similarity, extended_points, only_extended), search)

    @abstractmethod
    def _align(self, mode: Mode, search: Search) -> Aligned: ...

    @abstractmethod
    def _align_features(self, mode: Mode, search: Search) -> AlignedFeatures: ...
