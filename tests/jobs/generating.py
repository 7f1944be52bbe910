"""Small runs of generate.py."""

import csv

from foldpix.dataset import made_shards
from foldpix.jobs import generate_files
from foldpix.jobs.schema.generate import GenerateConfig, Into

BLOCK = 20
LENGTHS = {"min_length": 40, "max_length": 66}
SHARDS = {"into": Into.shards, "num": 30, "shard_size": 6, "valid_frac": 0.2} | LENGTHS
FOLDER = {"num": 9} | LENGTHS


def config(out, **options):
    return GenerateConfig(out=str(out), **({"workers": 1} | options))


def contents(root):
    """What the user sees."""
    files = (path for path in root.rglob("*") if path.is_file() and ".made" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def table(text):
    return list(csv.DictReader(text.decode().splitlines()))


def cut_small(monkeypatch):
    """So that few chains are many tasks."""
    monkeypatch.setattr(generate_files, "CHAINS_A_TASK", 4)
    monkeypatch.setattr(made_shards, "BLOCK", BLOCK)
