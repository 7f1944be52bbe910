"""Residue names and one-letter codes, through the chemical component dictionary."""

from functools import cache

from biotite.structure.info import amino_acid_names, get_from_ccd

# fmt: off
THREE_LETTER = {
    "A": "ALA", "R": "ARG", "N": "ASN", "D": "ASP", "C": "CYS",
    "Q": "GLN", "E": "GLU", "G": "GLY", "H": "HIS", "I": "ILE",
    "L": "LEU", "K": "LYS", "M": "MET", "F": "PHE", "P": "PRO",
    "S": "SER", "T": "THR", "W": "TRP", "Y": "TYR", "V": "VAL",
}
# fmt: on
ONE_LETTER = {name: letter for letter, name in THREE_LETTER.items()}


def is_amino_acid(name: str) -> bool:
    """Whether a residue name is peptide-linking in the dictionary.

    The dictionary takes a quarter of a second to load, so the twenty are answered without it.
    """
    return name in ONE_LETTER or name in _peptide_linking()


@cache
def one_letter(name: str) -> str:
    """The letter of a residue name: one of the twenty, or X.

    A modified residue has the letter of its parent (MSE is M, SEP is S), one without a parent its own
    (DAL is A). Selenocysteine and pyrrolysine are amino acids of their own there, U and O: they are X.
    """
    if name in ONE_LETTER:
        return ONE_LETTER[name]
    parent = ONE_LETTER.get(_component(name, "mon_nstd_parent_comp_id").upper())
    own = _component(name, "one_letter_code")
    return parent or (own if own in THREE_LETTER else "X")


@cache
def _peptide_linking() -> frozenset[str]:
    return frozenset(amino_acid_names())


def _component(name: str, column: str) -> str:
    found = get_from_ccd("chem_comp", name, column)
    return "" if found is None else str(found.as_array(str)[0])
