"""What a made-up peptide is made of: the names of its residues, from text."""

from collections.abc import Iterable
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

from foldpix.structure.residues import ONE_LETTER, THREE_LETTER

#: One-letter codes that can be built: the twenty and selenocysteine.
NAME_OF_LETTER = THREE_LETTER | {"U": "SEC"}
_LETTER_OF_NAME = ONE_LETTER | {"SEC": "U"}

# fmt: off
#: The chemical component dictionary's codes of D-residues. Glycine has no hand, D-selenocysteine no code.
COMPONENT_OF_D = {
    "D-ALA": "DAL", "D-ARG": "DAR", "D-ASN": "DSG", "D-ASP": "DAS", "D-CYS": "DCY",
    "D-GLN": "DGN", "D-GLU": "DGL", "D-HIS": "DHI", "D-ILE": "DIL", "D-LEU": "DLE",
    "D-LYS": "DLY", "D-MET": "MED", "D-PHE": "DPN", "D-PRO": "DPR", "D-SER": "DSN",
    "D-THR": "DTH", "D-TRP": "DTR", "D-TYR": "DTY", "D-VAL": "DVA",
}
# fmt: on
_D_OF_COMPONENT = {code: name for name, code in COMPONENT_OF_D.items()}

#: What a token or a lone three-letter chain may be called: name of the residue by its code.
_NAME_OF_CODE = {name: name for name in NAME_OF_LETTER.values()} | _D_OF_COMPONENT

_ONE_CHARACTER_IDS = ascii_uppercase + ascii_lowercase + digits


def parse_sequence(text: str) -> tuple[tuple[str, ...], ...]:
    """Residue names of each chain.

    A colon parts chains. A chain with hyphens is a list of names, of one letter or three, in either case:
    ``"ALA-G-ser"``. ``D`` right before a three-letter name is its hand (``"ALA-D-ALA"``), before anything
    else it is aspartate (``"A-D-G"``); the dictionary's codes of D-residues (``"DAL"``) are names too. A
    chain without hyphens that is one three-letter name in upper case, or with a capital alone, is that
    residue (``"TRP"``, ``"Trp"``), any other is a row of one-letter codes, in either case. Blanks around a
    chain or a name do not count.

    Parameters
    ----------
    text : str
        Such as ``"ACDEF"``, ``"ALA-D-ALA-ALA"`` or ``"ACD:EFG"``.

    Returns
    -------
    tuple of tuple of str
        Three upper-case letters each, with ``D-`` before them for a D-residue.

    Raises
    ------
    ValueError
        If `text` is no text, a chain or a name is empty, or a name cannot be built.
    """
    if not isinstance(text, str):
        raise ValueError(f"a sequence is text such as 'ACD', 'ALA-CYS-ASP' or 'ACD:EFG', not {text!r}")
    return tuple(_parse_chain(chain.strip(), number) for number, chain in enumerate(text.split(":"), start=1))


def is_d(name: str) -> bool:
    """Whether a residue is of the D form."""
    return name.startswith("D-")


def l_form(name: str) -> str:
    """The residue's name without its hand: ALA for D-ALA, and for DAL."""
    return _D_OF_COMPONENT.get(name, name).removeprefix("D-")


def one_letter(names: Iterable[str]) -> str:
    """One-letter sequence; a D-residue has the letter of its L form, SEC is U."""
    return "".join(_LETTER_OF_NAME[l_form(name)] for name in names)


def component_code(name: str) -> str:
    """The residue's code in the chemical component dictionary: DAL for D-ALA, ALA for ALA."""
    return COMPONENT_OF_D.get(name, name)


def chain_id(number: int) -> str:
    """Id of chain ``number``, counted from 0: A to Z, a to z, 0 to 9, then AA, AB and on."""
    if number < len(_ONE_CHARACTER_IDS):
        return _ONE_CHARACTER_IDS[number]
    left, letters = number - len(_ONE_CHARACTER_IDS) + len(ascii_uppercase), ""
    while left >= 0:
        letters = ascii_uppercase[left % len(ascii_uppercase)] + letters
        left = left // len(ascii_uppercase) - 1
    return letters


def _parse_chain(chain: str, number: int) -> tuple[str, ...]:
    if not chain:
        raise ValueError(f"chain {number} is empty; give it at least one residue, such as 'A' or 'ALA'")
    if "-" in chain:
        return _parse_tokens([_upper(token.strip()) for token in chain.split("-")], number)
    code = _upper(chain)
    if code in _NAME_OF_CODE and chain in (code, code.capitalize()):
        return (_NAME_OF_CODE[code],)
    return tuple(_known(_upper(letter), place, number) for place, letter in enumerate(chain, start=1))


def _upper(token: str) -> str:
    """In upper case, but for what is no letter of ours: of the German sharp s that makes SS."""
    return token.upper() if set(token) <= set(ascii_letters) else token


def _parse_tokens(tokens: list[str], number: int) -> tuple[str, ...]:
    names: list[str] = []
    handed = False
    for place, token in enumerate(tokens, start=1):
        if handed:
            names.append(_d_form(token, place, number))
            handed = False
        elif token == "D" and place < len(tokens) and len(tokens[place]) == 3:
            handed = True
        else:
            names.append(_known(token, place, number))
    return tuple(names)


def _known(token: str, place: int, number: int) -> str:
    name = NAME_OF_LETTER.get(token) or _NAME_OF_CODE.get(token)
    if name is None:
        what = f"unknown residue {token!r}" if token else "no residue"
        raise ValueError(
            f"{what} at place {place} of chain {number}; "
            f"known are the letters {''.join(sorted(NAME_OF_LETTER))}, and between hyphens "
            f"the names {', '.join(sorted(_NAME_OF_CODE))} and D before a name"
        )
    return name


def _d_form(token: str, place: int, number: int) -> str:
    name = f"D-{_known(token, place, number)}"
    if name not in COMPONENT_OF_D:
        known = ", ".join(l_form(known) for known in COMPONENT_OF_D)
        raise ValueError(
            f"'D-{token}' at place {place} of chain {number} does not exist; D goes before {known}"
        )
    return name
