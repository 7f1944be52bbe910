"""What a run of `generate.py` did, counted and printed."""

from dataclasses import dataclass

from foldpix.jobs.schema.generate import GenerateConfig, Into

#: An archive is written whole or not at all.
NOTHING_KEPT = "nothing of it is kept, the same command starts anew"


@dataclass
class Tally:
    """Chains that are new, that were there already, and that were left out of the new ones."""

    generated: int = 0
    there: int = 0
    left_out: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0
    is_stopped: bool = False

    def add(self, num_chains: int, num_left_out: int, seconds: float) -> None:
        """Count new chains; ``seconds`` since the start."""
        self.generated += num_chains
        self.left_out += num_left_out
        self.seconds = seconds

    @property
    def rate(self) -> float:
        """New chains a second."""
        return self.generated / max(self.seconds, 1e-9)


def print_summary(tally: Tally, config: GenerateConfig) -> None:
    """The summary as a line on stdout."""
    part = f" (part {config.part} of {config.parts})" if config.parts > 1 else ""
    line = [f"{tally.generated + tally.there} chains in {config.out}{part}, {tally.rate:.0f} a second"]
    if tally.there:
        line.append(f"{tally.there} of them were there already")
    if tally.left_out:
        line.append(f"{tally.left_out} left out, as atoms clash")
    if tally.generated:
        line.append(f"{tally.seconds:.1f} s, at most {tally.peak_bytes / 1e6:.0f} MB a process")
    if tally.is_stopped:
        kept = config.into is not Into.archive
        line.append("stopped, " + ("the same command goes on" if kept else NOTHING_KEPT))
    print("; ".join(line))
