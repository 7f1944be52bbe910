"""Every chain through every stage."""

from collections.abc import Iterable, Iterator, Sequence

from foldpix.evaluation.chains import Chain, Sample, Skipped
from foldpix.evaluation.codebook import CodebookUse
from foldpix.evaluation.codes import equally_padded
from foldpix.evaluation.image_stage import ImageStage, Record, record_of
from foldpix.evaluation.reconstruct import RoundTrips


class Evaluation:
    """Sends chains through the image and tokenizers, and keeps what it finds.

    Parameters
    ----------
    tokenizers : sequence of RoundTrips
        None of them evaluates the image alone.

    Attributes
    ----------
    records : list of Record
    skipped : list of Skipped
        Chains that could not be loaded, or coded by one of the tokenizers.
    use : dict of list of CodebookUse
        By tokenizer: of each level of codes, finest first.
    """

    def __init__(self, tokenizers: Sequence[RoundTrips] = ()) -> None:
        self.tokenizers = tokenizers
        self.records: list[Record] = []
        self.skipped: list[Skipped] = []
        self.use: dict[str, list[CodebookUse]] = {}

    def batches(self, chains: Iterable[Chain], batch_size: int) -> Iterator[list[Chain]]:
        """The chains, shortest first, in batches of at most ``batch_size`` that are padded to one length."""
        stride = max((tokenizer.stride for tokenizer in self.tokenizers), default=1)
        by_id = sorted(chains, key=lambda chain: chain.id)
        return equally_padded(by_id, lambda chain: chain.length, stride, batch_size)

    def add(self, stage: ImageStage) -> None:
        """Take what `image_stage` gave for one of :meth:`batches`, and send it through the tokenizers."""
        self.records += stage.records
        self.skipped += stage.skipped
        for tokenizer in self.tokenizers if stage.samples else ():
            self._tokenize(tokenizer, stage.samples)

    def _tokenize(self, tokenizer: RoundTrips, samples: Sequence[Sample]) -> None:
        use = self.use.setdefault(
            tokenizer.name, [CodebookUse(tokenizer.codebook_size) for _ in range(tokenizer.num_levels)]
        )
        for sample, trip in zip(samples, tokenizer(samples), strict=True):
            if isinstance(trip, Skipped):
                self.skipped.append(trip)
                continue
            self.records.append(record_of(sample, tokenizer.name, trip))
            for level, codes in zip(use, trip.codes, strict=True):
                level.add(codes)
