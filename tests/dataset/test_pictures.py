"""Finding pictures in folders and shards."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from foldpix.dataset.pictures import StoredPicture, Unreadable, stored_pictures
from tests.training.tiny import make_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("dataset"))


def shard(path, **members):
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_a_data_set_has_each_picture_once(dataset, tmp_path):
    found = list(stored_pictures(dataset))
    loose = sorted(dataset.glob("bin_*/*.png"))
    assert [(each.id, each.path) for each in found] == [(path.stem, path) for path in loose]
    copy = shutil.copytree(dataset, tmp_path / "copy")
    gone = sorted(copy.glob("bin_*/*.png"))[::2]
    for path in gone:
        path.unlink()
    from_shards = [each for each in stored_pictures(copy) if each.path.suffix == ".tar"]
    assert {each.id for each in from_shards} == {path.stem for path in gone}
    for each in from_shards:
        assert each.read() == next(dataset.glob(f"bin_*/{each.id}.png")).read_bytes()


def test_shards_alone(dataset):
    pictures = {path.stem: path.read_bytes() for path in dataset.glob("bin_*/*.png")}
    for root in (dataset / "shards", *sorted((dataset / "shards").glob("*/*.tar"))):
        found = list(stored_pictures(root))
        assert found and all(each.read() == pictures[each.id] for each in found)
    assert {each.id for each in stored_pictures(dataset / "shards")} == pictures.keys()


def test_the_same_name_elsewhere_is_another_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.PNG").write_bytes(b"2")
    (tmp_path / ".hidden.png").write_bytes(b"3")
    (tmp_path / "deep" / "a.txt").write_bytes(b"4")
    shard(tmp_path / "s.tar", a__png=b"5")
    assert [(each.id, each.read()) for each in stored_pictures(tmp_path)] == [
        ("a", b"1"),
        ("a", b"2"),
        ("a", b"5"),
    ]


def test_bad_shards(dataset, tmp_path):
    whole = next(
        path for path in sorted((dataset / "shards").glob("*/*.tar")) if path.stat().st_size > 50_000
    )
    (tmp_path / "half.tar").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "no.tar").write_bytes(b"no tar" * 1000)
    (tmp_path / "null.tar").touch()
    shard(tmp_path / "empty.tar")
    shard(tmp_path / "other.tar", a__json=b"{}")
    found = list(stored_pictures(tmp_path))
    reasons = {each.path.stem: each.reason for each in found if isinstance(each, Unreadable)}
    cut = "no tar, or cut short before the end of its first PNG"
    assert reasons == {
        "half": "cut short, samples lost: at least 1",
        "no": cut,
        "null": cut,
        "empty": "no PNG inside",
        "other": "no PNG inside",
    }
    assert any(isinstance(each, StoredPicture) and each.path.stem == "half" for each in found)


def test_a_shard_that_cannot_be_opened(tmp_path):
    (tmp_path / "gone.tar").symlink_to(tmp_path / "nowhere")
    assert list(stored_pictures(tmp_path)) == [Unreadable(tmp_path / "gone.tar", "No such file or directory")]
