"""Every chain through every stage."""

from collections.abc import Iterable, Iterator, Sequence
from math import log2

from foldpix.evaluation.chains import Chain, Sample, Skipped
from foldpix.evaluation.codebook import CodebookUse
from foldpix.evaluation.codes import ImageTokenizer, equally_padded
from foldpix.evaluation.image_stage import ImageStage, Record, record_of
from foldpix.evaluation.reconstruct import through_tokenizer


class Evaluation:
    """Sends chains through the image and, where there is one, the tokenizer, and keeps what it finds.

    Parameters
    ----------
    tokenizer : ImageTokenizer or None
        None evaluates the image alone.
    device : str
        Where the tokenizer is.

    Attributes
    ----------
    records : list of Record
    skipped : list of Skipped
        Chains that could not be loaded.
    use : list of CodebookUse
        Of each level of codes, finest first; empty without a tokenizer.
    """

    def __init__(self, tokenizer: ImageTokenizer | None = None, device: str = "cpu") -> None:
        self.tokenizer, self.device = tokenizer, device
        self.records: list[Record] = []
        self.skipped: list[Skipped] = []
        self.use: list[CodebookUse] = []

    def batches(self, chains: Iterable[Chain], batch_size: int) -> Iterator[list[Chain]]:
        """The chains, shortest first, in batches of at most ``batch_size`` that are padded to one length."""
        stride = 1 if self.tokenizer is None else self.tokenizer.stride
        by_id = sorted(chains, key=lambda chain: chain.id)
        return equally_padded(by_id, lambda chain: chain.length, stride, batch_size)

    def add(self, stage: ImageStage) -> None:
        """Take what `image_stage` gave for one of :meth:`batches`, and send it through the tokenizer."""
        self.records += stage.records
        self.skipped += stage.skipped
        if self.tokenizer is not None and stage.samples:
            self._tokenize(self.tokenizer, stage.samples)

    def _tokenize(self, tokenizer: ImageTokenizer, samples: Sequence[Sample]) -> None:
        trips = through_tokenizer(tokenizer, samples, self.device)
        self.use = self.use or [CodebookUse(tokenizer.codebook_size) for _ in trips[0].codes]
        for sample, trip in zip(samples, trips, strict=True):
            self.records.append(record_of(sample, "tokenizer", trip, log2(tokenizer.codebook_size)))
            for use, codes in zip(self.use, trip.codes, strict=True):
                use.add(codes)
