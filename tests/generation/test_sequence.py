"""Names of residues from text."""

import pytest
from biotite.structure.info import get_from_ccd, one_letter_code

from foldpix.generation import sequence
from foldpix.generation.sequence import (
    COMPONENT_OF_D,
    chain_id,
    component_code,
    is_d,
    one_letter,
    parse_sequence,
)


@pytest.mark.parametrize(
    ("text", "chains"),
    [
        ("ACD", ["ALA CYS ASP"]),
        ("acd", ["ALA CYS ASP"]),
        ("U", ["SEC"]),
        ("ALA", ["ALA"]),  # one residue, not ALA LEU ALA
        ("TRP", ["TRP"]),
        ("Ala", ["ALA"]),
        ("Trp:Gly", ["TRP", "GLY"]),
        ("Dal", ["D-ALA"]),
        ("ala", ["ALA LEU ALA"]),
        ("AlA", ["ALA LEU ALA"]),
        ("DAL", ["D-ALA"]),
        ("D-A-L", ["ASP ALA LEU"]),
        ("ALAA", ["ALA LEU ALA ALA"]),
        ("ALA:GLY", ["ALA", "GLY"]),
        ("ALA-GLY:AG", ["ALA GLY", "ALA GLY"]),
        ("AGS", ["ALA GLY SER"]),
        ("ALA-GLY-SER", ["ALA GLY SER"]),
        ("a-Gly-sEr", ["ALA GLY SER"]),
        (" ALA - G : SER ", ["ALA GLY", "SER"]),
        ("A-D-G", ["ALA ASP GLY"]),
        ("A-D", ["ALA ASP"]),
        ("D-D-D", ["ASP ASP ASP"]),
        ("D-D-ALA", ["ASP D-ALA"]),
        ("D-ASP-GLY", ["D-ASP GLY"]),
        ("ALA-D-ALA-ALA", ["ALA D-ALA ALA"]),
        ("ala-d-ala-dar-ALA", ["ALA D-ALA D-ARG ALA"]),
        ("SEC-U", ["SEC SEC"]),
    ],
)
def test_text(text, chains):
    assert parse_sequence(text) == tuple(tuple(chain.split()) for chain in chains)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "chain 1 is empty"),
        ("  ", "chain 1 is empty"),
        ("A::G", "chain 2 is empty"),
        ("AC:", "chain 2 is empty"),
        ("-", "no residue at place 1 of chain 1"),
        ("ALA--GLY", "no residue at place 2 of chain 1"),
        ("AXA", "'X' at place 2 of chain 1"),
        ("AC:AB", "'B' at place 2 of chain 2"),
        ("AZ", "'Z' at place 2"),
        ("AO", "'O' at place 2"),
        ("A\N{LATIN SMALL LETTER SHARP S}", "'\N{LATIN SMALL LETTER SHARP S}' at place 2"),
        ("\N{LATIN SMALL LETTER DOTLESS I}A", "'\N{LATIN SMALL LETTER DOTLESS I}' at place 1"),
        ("\N{LATIN SMALL LETTER LONG S}ER-A", "'\N{LATIN SMALL LETTER LONG S}ER' at place 1"),
        ("AJ", "'J' at place 2"),
        ("A*", r"'\*' at place 2"),
        (">A", "'>' at place 1"),
        ("A G", "' ' at place 2"),
        ("AG\nAG", r"'\\n' at place 3"),
        ("A,G", "',' at place 2"),
        ("ALA GLY-SER", "'ALA GLY' at place 1"),
        ("ALA-FOO", "'FOO' at place 2"),
        ("ALA-HOH", "'HOH' at place 2"),
        ("ALA-HIP", "'HIP' at place 2"),
        ("D-FOO", "'FOO' at place 2"),
        ("D-GLY", "'D-GLY' at place 2 of chain 1 does not exist"),
        ("D-SEC", "'D-SEC' at place 2"),
        ("D-DAL", "'D-DAL' at place 2"),
        (["TRP"], r"not \['TRP'\]"),
        (None, "not None"),
        (b"ACD", "not b'ACD'"),
    ],
)
def test_errors_name_value_and_place_in_one_line(text, said):
    with pytest.raises(ValueError, match=said) as error:
        parse_sequence(text)
    assert "\n" not in str(error.value)


def test_unknown_names_are_told_what_is_known():
    with pytest.raises(ValueError, match=r"ACDEFGHIKLMNPQRSTUVWY.*ALA, ARG.*VAL"):
        parse_sequence("ALA-INVALID")
    with pytest.raises(ValueError, match=r"ALA, ARG.*VAL"):
        parse_sequence("D-GLY")


def test_every_name_comes_back():
    names = (*sequence.NAME_OF_LETTER.values(), *COMPONENT_OF_D)
    assert parse_sequence("-".join(names)) == (names,)
    assert parse_sequence("-".join(map(component_code, names))) == (names,)
    assert parse_sequence("".join(sequence.NAME_OF_LETTER)) == (names[:21],)


def test_letters_are_those_of_the_dictionary():
    for name in (*sequence.NAME_OF_LETTER.values(), *COMPONENT_OF_D):
        assert one_letter([name]) == one_letter_code(component_code(name))
    assert one_letter(["ALA", "D-ALA", "SEC", "D-TRP"]) == "AAUW"


def test_d_codes_are_those_of_the_dictionary():
    for name, code in COMPONENT_OF_D.items():
        assert is_d(name) and not is_d(name[2:])
        kind = str(get_from_ccd("chem_comp", code, "type").as_array(str)[0])
        assert kind.upper() == "D-PEPTIDE LINKING"
    assert component_code("GLY") == "GLY" and component_code("SEC") == "SEC"


def test_chain_ids():
    ids = [chain_id(number) for number in range(62 + 26 * 26 + 26 * 26 * 26)]
    assert len(set(ids)) == len(ids)
    assert "".join(ids[:62]) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    assert (
        ids[62:65] == ["AA", "AB", "AC"]
        and ids[62 + 26] == "BA"
        and ids[62 + 675 : 62 + 677] == ["ZZ", "AAA"]
    )
    assert ids[-1] == "ZZZ"
