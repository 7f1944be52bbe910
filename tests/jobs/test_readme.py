"""The commands that the documentation shows exist, compose and run."""

import inspect
import re
import shlex
import shutil
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from foldpix import image
from foldpix.batch import LevelSchema
from foldpix.generation import BatchedGenerator, BatchedPeptide
from foldpix.jobs.entry import typed
from foldpix.training.checkpoint import newest_checkpoint
from tests.jobs.test_configs import JOBS, REPO, composed
from tests.training.tiny import finish, start

PAGES = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    blocks = "".join(BLOCK.findall(page.read_text())).replace("\\\n", " ")
    return [words for line in blocks.splitlines() if (words := shlex.split(line, comments=True))]


def shown(program: str) -> list[list[str]]:
    return [words for page in PAGES for words in commands(page) if words[0] == program]


def test_the_readme_shows_the_way():
    scripts = {words[1] for words in commands(REPO / "README.md") if words[0] == "python"}
    assert {"train.py", "preprocess.py", "evaluate.py"} <= scripts
    assert ["make", "demo"] in commands(REPO / "README.md")


@pytest.mark.parametrize("words", shown("python"), ids=" ".join)
def test_commands_compose(words):
    script, *overrides = words[1:]
    assert (REPO / script).is_file()
    job = script.removesuffix(".py")
    if overrides == ["--cfg", "job"]:
        return
    parsed = OverridesParser.create().parse_overrides([word for word in overrides if word != "-m"])
    assert ("-m" in overrides) is any(override.is_sweep_override() for override in parsed)
    plain = [
        f"{override.key_or_group}={next(override.sweep_string_iterator())}"
        if override.is_sweep_override()
        else override.input_line
        for override in parsed
        if not override.key_or_group.startswith("hydra.")
    ]
    extra = ["name=x", "run_dir=y"] if job == "train" else []
    typed(composed(job, *extra, *plain), JOBS[job])


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with structures, as a reader of the README has it."""
    folder = tmp_path_factory.mktemp("workplace")
    done = finish(start(REPO / "generate.py", "out=structures", "num=20", cwd=folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.timeout(400)
@pytest.mark.parametrize("trainers", [(), pytest.param(("trainer=ddp",), marks=pytest.mark.slow)], ids=str)
def test_the_commands_of_the_readme_run_one_after_another(workplace, trainers):
    """As they stand, but training is a few steps of a tiny model. Only a GPU is not to be had everywhere."""
    elsewhere = {"trainer=gpu", "trainer=ddp"} - set(trainers)
    for _, script, *options in (words for words in commands(REPO / "README.md") if words[0] == "python"):
        if elsewhere & set(options):
            continue
        tiny = ["debug=fast"] if script == "train.py" and "--cfg" not in options else []
        done = finish(start(REPO / script, *options, *tiny, cwd=workplace))
        assert done.returncode == 0, f"{script} {options}: {done.stderr}"
        demo = workplace / "runs" / "demo" / "checkpoints"
        if tiny and not demo.exists():  # the README evaluates what `make demo` trained
            shutil.copytree(newest_checkpoint(workplace / "runs").parent, demo)
    assert (workplace / "runs" / "demo" / "evaluation" / "reconstruction.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text()], ids=lambda page: page.stem
)
def test_the_python_of_the_pages_runs(page, workplace):
    """From top to bottom, as a reader would try it."""
    code = "".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S))
    if page.name == "README.md":
        code += "assert decoded.coords.shape == backbone.coords.shape"
    done = finish(start("-c", code, cwd=workplace))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", shown("make"), ids=" ".join)
def test_make_targets_exist(words):
    targets = re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE)
    assert set(words[1:]) <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_options_that_the_prose_names_exist():
    """Such as `delete_source=true` in the running text, or an argument of a Python function."""
    callables = (
        BatchedGenerator,
        BatchedGenerator.generate_batch,
        BatchedPeptide.get_6d_orientations,
        LevelSchema.with_field,
        image.decode,
    )
    arguments = {name for function in callables for name in inspect.signature(function).parameters}
    names = {name.partition(".")[2] for name in (Path(__file__).parent / "options.txt").read_text().split()}
    groups = {folder.name for folder in (REPO / "conf").iterdir() if folder.is_dir()}
    for page in PAGES:
        for key in re.findall(r"`([a-z_.]+)=[^`\s]*`", page.read_text()):
            assert key in names | groups | arguments or key.startswith("hydra."), f"{page.name}: {key}"
