"""The examples of the page about batches run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "batch.md"


def test_examples_run():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    exec(compile("".join(blocks), PAGE.name, "exec"), {"__name__": "example"})
