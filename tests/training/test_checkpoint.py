import os
from types import SimpleNamespace

import pytest
import torch

from foldpix.jobs import train
from foldpix.model.config import HVQVAEConfig, Space
from foldpix.model.hvqvae import HVQVAE
from foldpix.training.checkpoint import (
    check_same_model,
    load_model,
    newest_checkpoint,
    pack_model_config,
    read_checkpoint,
    unpack_model_config,
)
from foldpix.training.config import OptimizerConfig
from foldpix.training.module import HVQVAEModule
from tests.training.tiny import load, tiny_model, tiny_run


@pytest.fixture
def module():
    """A module whose codebooks have seen something."""
    torch.manual_seed(0)
    made = HVQVAEModule(tiny_model(), OptimizerConfig())
    made.model.train()(*batch())
    made.model.eval()
    return made


def batch():
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(2, 3, 48, 48, generator=generator) * 2 - 1
    return image, torch.arange(48) < torch.tensor([[48], [41]])


@pytest.fixture
def checkpoint(module, tmp_path):
    """As a trainer writes it."""
    contents = {"state_dict": module.state_dict(), "optimizer_states": [], "lr_schedulers": [], "loops": {}}
    module.on_save_checkpoint(contents)
    torch.save(contents, tmp_path / "last.ckpt")
    return tmp_path / "last.ckpt"


def test_a_loaded_model_gives_the_same_codes_and_images(module, checkpoint):
    model = load_model(checkpoint)
    assert not model.training
    image, mask = batch()
    codes = model.encode(image, mask)
    for mine, yours in zip(codes, module.model.encode(image, mask), strict=True):
        assert torch.equal(mine, yours)
    lengths = torch.tensor([48, 41])
    assert torch.equal(model.decode(codes, lengths), module.model.decode(codes, lengths))


@pytest.mark.parametrize("space", Space)
def test_the_config_survives(space, tmp_path):
    config = HVQVAEConfig(scaling_rates=[2, 4], space=space, channel_weights=[1.0, 2.0, 0.5], beta=0.1)
    torch.save(pack_model_config(config), tmp_path / "config.pt")
    loaded = unpack_model_config(torch.load(tmp_path / "config.pt", weights_only=True))
    assert loaded == config
    assert isinstance(loaded.space, Space)


def test_the_same_model_may_go_on(checkpoint):
    check_same_model(checkpoint, tiny_model())


def test_another_model_is_refused_by_name(checkpoint):
    with pytest.raises(ValueError) as caught:
        check_same_model(checkpoint, tiny_model(n_embd=32, space=Space.plain))
    message = str(caught.value)
    assert "n_embd=16 (this run: 32)" in message and "space=lifted (this run: plain)" in message
    assert "codebook_size" not in message and "\n" not in message


def damaged(checkpoint, **changes):
    contents = load(checkpoint)
    for key, value in changes.items():
        if value is None:
            del contents[key]
        else:
            contents[key] = value
    torch.save(contents, checkpoint)


def test_weights_alone_are_no_run_to_go_on_with(checkpoint):
    damaged(checkpoint, optimizer_states=None, loops=None)
    with pytest.raises(ValueError, match=r"last\.ckpt lacks optimizer_states, loops: "):
        check_same_model(checkpoint, tiny_model())
    assert load_model(checkpoint).num_levels == 2  # but a model


def test_weights_of_another_shape_are_refused(checkpoint, module):
    contents = pack_model_config(tiny_model(codebook_size=8))
    damaged(checkpoint, model_config=contents)
    with pytest.raises(ValueError, match=r"codebook.*\b16\b.*\b8\b") as caught:
        load_model(checkpoint)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["space", "n_embd"])
def test_a_config_of_another_version_is_refused(checkpoint, key):
    config = load(checkpoint)["model_config"]
    config[f"old_{key}"] = config.pop(key)
    damaged(checkpoint, model_config=config)
    with pytest.raises(ValueError, match=rf"last\.ckpt: a model of another version: .*{key}"):
        load_model(checkpoint)


@pytest.mark.parametrize("key", ["state_dict", "model_config"])
def test_a_checkpoint_without_a_model(checkpoint, key):
    damaged(checkpoint, **{key: None})
    with pytest.raises(ValueError, match=r"last\.ckpt: not a checkpoint of a foldpix model"):
        read_checkpoint(checkpoint)


def test_weights_missing_from_the_state_are_named(checkpoint):
    state = load(checkpoint)["state_dict"]
    del state["model.quantizers.0.codebook"]
    damaged(checkpoint, state_dict=state)
    with pytest.raises(ValueError, match=r"quantizers\.0\.codebook"):
        load_model(checkpoint)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch pwned",)


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "tensor", "pickle"])
def test_files_that_are_no_checkpoint(checkpoint, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = checkpoint.read_bytes()
    if kind in ("tensor", "pickle"):
        torch.save(torch.zeros(3) if kind == "tensor" else {"model_config": Malicious()}, checkpoint)
    else:
        checkpoint.write_bytes(
            {"text": b"no checkpoint\n", "empty": b"", "truncated": data[: len(data) // 2]}[kind]
        )
    for read in (load_model, lambda path: check_same_model(path, tiny_model())):
        with pytest.raises(ValueError, match=r"last\.ckpt: no") as caught:
            read(checkpoint)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def test_the_newest_run_wins(tmp_path):
    for age, name in enumerate(("b/2", "a", "c")):
        path = tmp_path / name / "checkpoints" / "last.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    assert newest_checkpoint(tmp_path) == tmp_path / "b/2/checkpoints/last.ckpt"


def test_ckpt_last_without_any(dataset, tmp_path):
    config = tiny_run(dataset, tmp_path / "run", runs=str(tmp_path / "runs"), ckpt="last")
    with pytest.raises(ValueError, match=r"ckpt=last: no checkpoints/last\.ckpt below .*runs/tiny; give"):
        train.run(config)
    assert not (tmp_path / "run").exists()


def test_the_job_refuses_the_checkpoint_of_another_model(dataset, checkpoint, tmp_path):
    config = tiny_run(dataset, tmp_path / "run", model={"codebook_size": 8}, ckpt=str(checkpoint))
    with pytest.raises(ValueError, match=r"another model: codebook_size=16 \(this run: 8\); give the same"):
        train.run(config)


def test_best_is_kept_beside_last(dataset, tmp_path):
    train.run(tiny_run(dataset, tmp_path))
    for name in ("last", "best"):
        assert isinstance(load_model(tmp_path / "checkpoints" / f"{name}.ckpt"), HVQVAE)
    assert SimpleNamespace(**load(tmp_path / "checkpoints/last.ckpt")).global_step == 4
