"""Pictures through the tokenizer of a checkpoint, on their way into a table."""

from functools import partial

from foldpix.dataset.reader import Sample
from foldpix.dataset.tokens import ChainTokens
from foldpix.evaluation.codes import codes_of, equally_padded
from foldpix.image import Picture
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.structure_pictures import structure_pictures
from foldpix.jobs.tokenizer import load_tokenizer


class PictureEncoder:
    """Workers read files and draw pictures; this process sends them through the tokenizer."""

    def __init__(self, config: EncodeConfig) -> None:
        assert config.ckpt is not None
        self._tokenizer, self.header, self._device = load_tokenizer(config.ckpt)
        self._batch_size = config.batch_size
        self.read = partial(structure_pictures, d_max=config.d_max)

    def tokens(self, group: list[Picture]) -> list[ChainTokens]:
        """The chains as tokens, in the same order."""
        tokens: dict[str, ChainTokens] = {}
        stride = self._tokenizer.stride
        for batch in equally_padded(group, lambda each: len(each.sequence), stride, self._batch_size):
            samples = [Sample(each.name, each.pixels, each.d_max) for each in batch]
            for each, codes in zip(batch, codes_of(self._tokenizer, samples, self._device), strict=True):
                tokens[each.name] = ChainTokens(each.name, each.chain, each.sequence, each.d_max, codes)
        return [tokens[each.name] for each in group]
