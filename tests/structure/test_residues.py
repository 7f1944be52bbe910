import pytest
from biotite.sequence import ProteinSequence

from foldpix.structure.residues import ONE_LETTER, is_amino_acid, one_letter


def test_the_twenty_agree_with_biotite():
    assert len(ONE_LETTER) == 20
    for name, letter in ONE_LETTER.items():
        assert ProteinSequence.convert_letter_3to1(name) == letter == one_letter(name)
        assert is_amino_acid(name)


# Parents as the entries of the dictionary at rcsb.org/ligand state them.
@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("MSE", "M"),
        ("SEP", "S"),
        ("TPO", "T"),
        ("PTR", "Y"),
        ("CSO", "C"),
        ("KCX", "K"),
        ("MLY", "K"),
        ("LLP", "K"),
        ("HYP", "P"),
        ("PCA", "Q"),
        ("BP5", "A"),  # no letter of its own, but a parent
        ("DAL", "A"),  # a letter of its own, but no parent
        ("SEC", "X"),
        ("PYL", "X"),
        ("UNK", "X"),
        ("ASX", "X"),
        ("GLX", "X"),
        ("CRO", "X"),  # three parents
    ],
)
def test_modified_residues(name, letter):
    assert is_amino_acid(name)
    assert one_letter(name) == letter


@pytest.mark.parametrize(
    "name", ["HOH", "DA", "A", "U", "NAG", "CA", "ACE", "NH2", "ATP", "", "no such name"]
)
def test_no_amino_acid(name):
    assert not is_amino_acid(name)
