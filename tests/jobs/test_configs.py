"""Every YAML composes, fits its dataclass, passes its checks and builds what it describes."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf

import align  # noqa: F401 (registers its schema, as the other scripts do)
import decode  # noqa: F401
import encode  # noqa: F401
import evaluate  # noqa: F401
import fit  # noqa: F401
import generate  # noqa: F401
import preprocess  # noqa: F401
import train  # noqa: F401
from foldpix.jobs.entry import typed
from foldpix.jobs.schema.align import AlignConfig
from foldpix.jobs.schema.decode import DecodeConfig
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.schema.evaluate import EvaluateConfig
from foldpix.jobs.schema.fit import FitConfig
from foldpix.jobs.schema.generate import GenerateConfig
from foldpix.jobs.schema.preprocess import PreprocessConfig
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.build import build_model
from foldpix.model.config import HVQVAEConfig, ModelConfig, RowsConfig, Space
from foldpix.training.config import LoggerConfig, LoggerKind, Precision
from foldpix.training.trainer import build_trainer

REPO = Path(__file__).parents[2]
CONF = REPO / "conf"
JOBS = {
    "train": TrainConfig,
    "preprocess": PreprocessConfig,
    "generate": GenerateConfig,
    "evaluate": EvaluateConfig,
    "encode": EncodeConfig,
    "fit": FitConfig,
    "decode": DecodeConfig,
    "align": AlignConfig,
}
REQUIRED = {
    "train": [],
    "preprocess": ["source=x", "out=y"],
    "encode": ["source=x", "out=y"],
    "fit": ["source=x", "out=y"],
    "decode": ["source=x", "out=y"],
    "align": ["ref=x", "out=y"],
}
CHOICES = sorted(
    (folder.name, file.stem) for folder in CONF.iterdir() if folder.is_dir() for file in folder.glob("*.yaml")
)


def composed(job: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(job, [*REQUIRED.get(job, ["out=y"]), *overrides])


def train_config(*overrides: str) -> TrainConfig:
    return typed(composed("train", "name=x", "run_dir=y", *overrides), TrainConfig)


def with_option(override: str, model: type[ModelConfig] = HVQVAEConfig) -> TrainConfig:
    """The defaults but for one option, as quick as can be."""
    defaults = TrainConfig(model=model(), name="x", run_dir="y")
    return typed(
        OmegaConf.merge(OmegaConf.structured(defaults), OmegaConf.from_dotlist([override])), TrainConfig
    )


def option_names(schema: type, prefix: str) -> Iterator[str]:
    for field in dataclasses.fields(schema):
        if field.type is ModelConfig:
            both = [
                *option_names(HVQVAEConfig, f"{prefix}.model"),
                *option_names(RowsConfig, f"{prefix}.model"),
            ]
            yield from dict.fromkeys(both)
        elif dataclasses.is_dataclass(field.type):
            yield from option_names(field.type, f"{prefix}.{field.name}")
        else:
            yield f"{prefix}.{field.name}"


def test_every_config_is_known_here():
    assert {path.stem for path in CONF.glob("*.yaml")} == JOBS.keys()
    assert {group for group, _ in CHOICES} == {"model", "data", "trainer", "logger", "experiment", "debug"}


def test_options_are_a_conscious_choice():
    """A new, renamed or removed option belongs in options.txt: is there none already that does?"""
    names = [name for job, schema in JOBS.items() for name in option_names(schema, job)]
    assert names == (Path(__file__).parent / "options.txt").read_text().split()


DEFAULTS = {
    "train": TrainConfig(model=HVQVAEConfig(), name="x", run_dir="y"),
    "preprocess": PreprocessConfig(source="x", out="y"),
    "generate": GenerateConfig(out="y"),
    "evaluate": EvaluateConfig(out="y"),
    "encode": EncodeConfig(source="x", out="y"),
    "fit": FitConfig(source="x", out="y"),
    "decode": DecodeConfig(source="x", out="y"),
    "align": AlignConfig(ref="x", out="y"),
}


@pytest.mark.parametrize("job", JOBS)
def test_jobs_compose_to_the_defaults_of_their_dataclass(job):
    extra = ["name=x", "run_dir=y"] if job == "train" else []
    assert typed(composed(job, *extra), JOBS[job]) == DEFAULTS[job]


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_choices_compose_and_pass_their_checks(group, choice):
    config = train_config(f"{group}={choice}")
    for part in (config.model, config.optimizer, config.trainer):
        part.check()


MODELS = [choice for group, choice in CHOICES if group == "model"]
MILLIONS = {
    "hvqvae": (10, 30),
    "hvqvae_plain": (10, 30),
    "hvqvae_small": (0.5, 3),
    "hvqvae_large": (150, 250),
    "rows": (2.5, 4),
    "rows_small": (1.5, 3),
}


@pytest.mark.parametrize("choice", MODELS)
def test_models_build(choice):
    config = train_config(f"model={choice}").model
    with torch.device("meta"):
        model = build_model(config)
    low, high = MILLIONS[choice]
    assert low < sum(parameter.numel() for parameter in model.parameters()) / 1e6 < high
    assert isinstance(config, RowsConfig) is choice.startswith("rows")
    if isinstance(config, HVQVAEConfig):
        assert (config.space is Space.plain) is (choice in ("hvqvae_plain", "hvqvae_large"))
        assert model.num_levels == len(config.scaling_rates)
    assert model.stride == config.stride


@pytest.mark.parametrize("trainer", ["cpu", "ddp"])
@pytest.mark.parametrize("logger", ["none", "csv"])
def test_trainers_build(trainer, logger, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = train_config(f"trainer={trainer}", f"logger={logger}", "trainer.max_steps=7")
    built = build_trainer(config.trainer, config.logger, tmp_path, progress=False)
    assert built.max_steps == 7 and built.world_size == (2 if trainer == "ddp" else 1)
    assert len(built.loggers) == (logger == "csv")
    assert not list(tmp_path.iterdir())  # nothing is written before training


def test_gpu_trainer(tmp_path):
    config = train_config("trainer=gpu").trainer
    assert config.precision is Precision.bfloat16
    if torch.cuda.is_available():
        trainer = build_trainer(config, LoggerConfig(LoggerKind.none), tmp_path, progress=False)
        assert trainer.precision == "bf16-mixed" and trainer.strategy.root_device.type == "cuda"
    else:
        with pytest.raises(ValueError, match="gpu") as caught:
            build_trainer(config, LoggerConfig(LoggerKind.none), tmp_path, progress=False)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("precision", Precision)
def test_precisions(precision, tmp_path):
    config = with_option(f"trainer.precision={precision.name}").trainer
    if precision is Precision.float16:
        with pytest.raises(ValueError, match=r"trainer\.precision=float16 needs a GPU"):
            config.check()
    else:
        trainer = build_trainer(config, LoggerConfig(LoggerKind.none), tmp_path, progress=False)
        assert trainer.precision == precision.value


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+new=1", "unknown config key new; "),
        ("+model.new=1", r"unknown config key model\.new; "),
        ("name=???", r"missing value: name=\.\.\."),
    ],
)
def test_what_hydra_lets_through(override, message):
    with pytest.raises(ValueError, match=message) as caught:
        train_config(override)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "new=1",
        "model.new=1",
        "model=none",
        "trainer.max_steps=many",
        "trainer.max_steps=1.5",
        "logger.kind=x",
    ],
)
def test_what_hydra_rejects(override):
    with pytest.raises(ConfigCompositionException):
        train_config(override)


@pytest.mark.parametrize(
    "override",
    [
        "model.latent_dim=100",
        "model.scaling_rates=[3]",
        "model.scaling_rates=[]",
        "model.codebook_size=0",
        "model.codebook_decay=1",
        "optimizer.lr=0",
        "optimizer.betas=[0.9]",
        "optimizer.warmup_steps=-1",
        "trainer.accumulate=0",
        "trainer.devices=0",
        "trainer.max_steps=0",
    ],
)
def test_contradictions_name_the_option(override):
    assert_rejected(with_option(override), override)


@pytest.mark.parametrize(
    "override",
    [
        "model.strides=[]",
        "model.strides=[4,2]",
        "model.strides=[2,2]",
        "model.strides=[2,3]",
        "model.n_embd=30",
        "model.pair_dim=0",
        "model.codebook_decay=0",
    ],
)
def test_contradictions_of_row_tokens_name_the_option(override):
    assert_rejected(with_option(override, RowsConfig), override)


def assert_rejected(config: TrainConfig, override: str) -> None:
    name, value = override.split("=")
    with pytest.raises(ValueError) as caught:
        for part in (config.model, config.optimizer, config.trainer):
            part.check()
    assert name in str(caught.value) and value.strip("[]") in str(caught.value).replace(", ", ",")
    assert "\n" not in str(caught.value)
