import pytest

from foldpix.dataset.split import Splitter, md5_split, read_split_table

# `printf 1abc | md5sum` gives e511341d..., so the fraction is 0xe511341d / 2^32 = 0.89479.


def test_md5_split_is_the_fraction_of_the_hash():
    assert md5_split("1abc", 0.8947) == "train"
    assert md5_split("1abc", 0.8949) == "val"
    assert {md5_split(f"{i}", 0.0) for i in range(200)} == {"train"}


@pytest.mark.parametrize("valid_frac", [0.05, 0.3])
def test_md5_split_takes_about_the_share(valid_frac):
    share = sum(md5_split(f"entry{i}", valid_frac) == "val" for i in range(4000)) / 4000
    assert share == pytest.approx(valid_frac, abs=0.025)  # 3.4 standard deviations at 0.3


def test_split_is_that_of_the_file_whatever_the_folder_and_chain():
    splitter = Splitter(0.5, {})
    for i in range(50):
        whole = splitter.split_of(f"e{i}", f"/a/e{i}.pdb")
        assert splitter.split_of(f"e{i}_A", f"/b/c/e{i}.cif.gz") == whole
        assert splitter.split_of(f"e{i}_B", f"/b/c/e{i}.cif.gz") == whole


@pytest.mark.parametrize(
    "text",
    [
        "id,split\n1abc,test\nAF-P1-F1-model_v4.1,val\n",
        "split,file,note\ntest,some/folder/1abc.cif.gz,x\nval,AF-P1-F1-model_v4.1.pdb,y\n",
    ],
)
def test_table(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    table = read_split_table(tmp_path / "t.csv")
    assert table == {"1abc": "test", "AF-P1-F1-model_v4_1": "val"}
    splitter = Splitter(0.0, table)
    assert splitter.split_of("1abc", "/d/1abc.pdb") == "test"
    assert splitter.split_of("1abc_B", "/d/1abc.pdb") == "test"
    assert splitter.split_of("2xyz", "/d/2xyz.pdb") == "train"
    assert splitter.names("1abc_B", "/d/1abc.pdb")
    assert not splitter.names("2xyz", "/d/2xyz.pdb")


def test_table_may_name_a_chain():
    splitter = Splitter(0.0, {"1abc": "test", "1abc_B": "val"})
    assert [splitter.split_of(f"1abc_{c}", "/1abc.pdb") for c in "ABC"] == ["test", "val", "test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,split\na,val\n", r"needs the columns id \(or file\) and split; it has name, split"),
        ("id,fold\na,val\n", "needs the columns"),
        ("", "it has none"),
        ("id,split\na,valid\n", "line 2: split 'valid' is none of train, val, test"),
        ("id,split\na,val\nb,test\na,test\n", "line 4: 'a' is in val and in test"),
    ],
)
def test_bad_table(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_split_table(tmp_path / "t.csv")
