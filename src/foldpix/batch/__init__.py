"""Ragged graphs in one set of tensors: batches, buffers, and their way to other processes."""

from foldpix.batch.batch import Batch
from foldpix.batch.item import AtomicData
from foldpix.batch.schema import LevelSchema

__all__ = ["AtomicData", "Batch", "LevelSchema"]
