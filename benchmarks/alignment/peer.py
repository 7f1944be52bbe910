"""shepherd-score in an environment of its own: its Python runs this file as a script.

Nothing of ours is imported here. The argument is JSON: ``source``, ``mode`` ("volume", "surface" or
"surface_charges"), ``num`` pairs, and ``devices``, 1 for the sequential path, more for the one with
`jax.shard_map`. A line of JSON comes back.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

# Of 200 surface points, see `foldpix.alignment.surfaces.surface_alpha`.
_SURFACE_ALPHA = 1.118


def measure(python: str, **what: Any) -> dict[str, Any]:
    """What the peer needs for pairs: ``seconds`` of CPU and ``first`` of the call before it, ``scores``.

    Raises
    ------
    ValueError
        If shepherd-score does not run there.
    """
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    flags = f"--xla_force_host_platform_device_count={what['devices']}"
    done = subprocess.run(
        [python, __file__, json.dumps(what)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | threads | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    if done.returncode:
        raise ValueError(f"shepherd-score does not run in {python}; install it there with its extra jax")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"scores": np.array(found["scores"])}


def work(source: str, mode: str, num: int, devices: int) -> Callable[[], np.ndarray]:
    """The call that is measured."""
    from rdkit import Chem
    from shepherd_score.container import Molecule, MoleculePair, MoleculePairBatch

    folder = Path(source)
    mols = list(Chem.SDMolSupplier(str(folder / "mols.sdf"), removeHs=False))
    places = json.loads((folder / "pairs.json").read_text())["pairs"][:num]
    surfaces = {} if mode == "volume" else np.load(folder / "surfaces200.npz")

    def molecule(k: int) -> Molecule:
        if mode == "volume":
            return Molecule(Chem.Mol(mols[k]))
        points, potential = surfaces[f"{k}_pos"], surfaces[f"{k}_esp"]
        return Molecule(Chem.Mol(mols[k]), surface_points=points, electrostatics=potential)

    pairs = [MoleculePair(molecule(a), molecule(b), do_center=mode == "volume") for a, b in places]
    if mode != "volume":
        for pair in pairs:
            pair.num_surf_points = 200
    batch = MoleculePairBatch(pairs)
    options = {"num_workers": devices, "use_shmap": devices > 1}
    if mode == "volume":
        return lambda: batch.align_with_vol(**options)[0]
    if mode == "surface":
        return lambda: batch.align_with_surf(_SURFACE_ALPHA, **options)[0]
    return lambda: batch.align_with_esp(_SURFACE_ALPHA, lam=0.3, **options)[0]


def main() -> None:
    """Two calls; the first one compiles."""
    call = work(**json.loads(sys.argv[1]))
    seconds = []
    for _ in range(2):
        start = time.process_time()
        scores = call()
        seconds.append(time.process_time() - start)
    result = {"version": version("shepherd-score"), "first": seconds[0], "seconds": seconds[1]}
    print(json.dumps(result | {"scores": np.asarray(scores).tolist()}))


if __name__ == "__main__":
    main()
