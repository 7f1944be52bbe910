PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check -q
RUN := .venv/bin/python

.PHONY: help setup demo test test-all lint bench bench-decode bench-generate bench-align bench-batch clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | column -t -s '|'

setup: .venv/.ready  ## create .venv with the project and its development tools

.venv/.ready: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/.ready  ## make chains up, turn them into images, train, and bring held-out ones back
	rm -rf data/demo runs/demo
	$(RUN) generate.py out=data/demo/structures num=1500
	$(RUN) preprocess.py source=data/demo/structures out=data/demo valid_frac=0.1
	$(RUN) train.py experiment=demo hydra.run.dir=runs/demo
	$(RUN) evaluate.py dataset=data/demo ckpt=runs/demo/checkpoints/last.ckpt out=runs/demo/evaluation

test: .venv/.ready  ## the test suite without the slow checks (under 8 minutes on 2 cores)
	$(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-all: .venv/.ready  ## every test, the slow ones too
	$(RUN) -m pytest -m '' -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/.ready  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: .venv/.ready  ## CPU times beside straightforward implementations and physical limits
	$(RUN) -m benchmarks.run

# Real chains where they lie beside the repository, made-up ones elsewhere.
bench-decode: source ?= $(wildcard ../shared/structures/chains)
bench-decode: .venv/.ready  ## exactness of picture to backbone [source=DIR limit=N noise=1,2,4,8,16 per_bin=4]
	$(RUN) -m benchmarks.image.decode_accuracy $(foreach name,source limit noise per_bin out,\
		$(if $($(name)),$(name)=$($(name))))

# The peer is measured where it is installed, in an environment of its own.
bench-generate: .venv/.ready  ## batches of peptides beside synth-pdb [peer=PYTHON]
	$(RUN) -m benchmarks.generation.bench_generate $(if $(peer),peer=$(peer))

# Molecules, pairs and best known scores lie beside the repository.
bench-align: .venv/.ready  ## overlays of drugs beside RDKit and shepherd-score [source=DIR num=512 peer=PYTHON]
	$(RUN) -m benchmarks.alignment.bench_align $(foreach name,source num peer,\
		$(if $($(name)),$(name)=$($(name))))

# nvalchemi-toolkit and torch_geometric are measured where they are installed, in an environment of their own.
bench-batch: .venv/.ready  ## ragged batches beside plain PyTorch, nvalchemi and PyG [peer=PYTHON]
	$(RUN) -m benchmarks.batch.bench_batch $(if $(peer),peer=$(peer))
	$(RUN) -m benchmarks.run only=ring

clean:  ## remove caches and what the demo made; .venv and other data stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis data/demo runs/demo
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
