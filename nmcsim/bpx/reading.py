"""A BPX file read by the ``bpx`` package, and every way in which such a file can be wrong."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from nmcsim.bpx.wrong import place, sentences
from nmcsim.errors import InputError, Mistake

SECTIONS: Final = (
    "Cell", "Electrolyte", "Negative electrode", "Positive electrode", "Separator", "User-defined",
)  # fmt: skip
POSITIVE: Final = "Positive electrode"
OCP: Final = "OCP [V]"
KNOWN: Final = ("exp", "tanh", "cosh")  # what ``bpx`` imports where it evaluates a formula
OLDEST: Final = (0, 1)  # version that is read
NEWEST: Final = 1  # major version
LARGEST: Final = 50_000_000  # bytes


@dataclass(frozen=True)
class Document:
    """A BPX file that ``bpx`` found valid.

    Parameters
    ----------
    path : Path
        Where it was read from.
    raw : mapping
        The file as it is written.
    model : bpx.BPX
        As ``bpx`` understands it, in its own version of the standard.
    version : str
        The version that the file states.
    remarks : tuple of str
        What ``bpx`` warned of, and what its version means.
    """

    path: Path
    raw: Mapping[str, Any]
    model: Any
    version: str
    remarks: tuple[str, ...]


def read_document(path: Path) -> Document:
    """Read and validate a BPX file (.json, or .yml and .yaml).

    Raises
    ------
    InputError
        A file that cannot be read, is not JSON, is no BPX file, is of a version that is not read,
        or does not follow the schema (each mistake with its place).
    """
    raw = _parsed(path)
    try:
        version = _version(raw)
        _check_sections(raw)
        _check_formulas(raw)
        model, remarks = _validated(raw)
    except InputError as error:
        raise error.located(str(path)) from None
    return Document(path, raw, model, version, (*_of_version(version), *remarks))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()[: LARGEST + 1]
    except FileNotFoundError:
        _refuse(path, "does not exist")
    except IsADirectoryError:
        _refuse(path, "is a folder, not a BPX file")
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}")
    try:
        text = "\0" if len(content) > LARGEST else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        _refuse(path, "is not a text file in UTF-8; a BPX file is JSON")
    if not text.strip():
        _refuse(path, "is empty; a BPX file is a JSON object with Header and Parameterisation")
    try:
        found = _load(path, text)
    except (ValueError, RecursionError) as error:
        _refuse(path, f"is not valid JSON: {error}")
    if not isinstance(found, dict):
        _refuse(path, "is not a BPX file: it holds no JSON object with Header and Parameterisation")
    return found


def _load(path: Path, text: str) -> Any:
    def no_number(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number")

    if path.suffix.lower() not in (".yml", ".yaml"):
        return json.loads(text, parse_constant=no_number)
    import yaml  # type: ignore[import-untyped]

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        _refuse(path, f"is not valid YAML: {' '.join(str(error).split())}")


def _version(raw: Mapping[str, Any]) -> str:
    header = raw.get("Header")
    if not isinstance(header, Mapping) or "BPX" not in header:
        missing = "Header" if not isinstance(header, Mapping) else "Header > BPX"
        message = f'is missing: a BPX file begins with "Header": {{"BPX": "{_own()}", ...}}'
        raise InputError(Mistake(missing, message))
    stated = header["BPX"]
    text = str(stated).strip()
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+)?", text)
    if match is None or isinstance(stated, bool):
        message = f"is not a version of BPX; write {_own()!r} or another"
        raise InputError(Mistake(f"Header > BPX = {stated!r}", message.replace("'", '"')))
    major, minor = int(match[1]), int(match[2])
    if major > NEWEST:
        message = (
            f"is newer than what bpx {_own()} reads, BPX 0.1 to {NEWEST}.x;"
            " install a newer bpx and nmcsim, or export the file as BPX 1"
        )
        raise InputError(Mistake(f"Header > BPX = {text}", message))
    if (major, minor) < OLDEST:
        message = (
            f"is older than what bpx {_own()} reads, BPX 0.1 to {NEWEST}.x; export the file anew"
        )
        raise InputError(Mistake(f"Header > BPX = {text}", message))
    return text


def _of_version(version: str) -> Iterator[str]:
    major, minor = (int(part) for part in version.split(".")[:2])
    own = tuple(int(part) for part in _own().split(".")[:2])
    if major < 1:
        yield f"the file is BPX {version}; bpx {_own()} converted it to its own version"
    if (major, minor) < (0, 3):
        yield (
            "before BPX 0.3 the standard's text had i = i0 sinh(F eta/2RT) without the factor 2;"
            " the factor is used here, as PyBaMM does: halve the rate constant if the file was"
            " fitted without it"
        )
    if (major, minor) > own:
        yield f"the file is BPX {version}, newer than bpx {_own()}, which found nothing unknown"


def _own() -> str:
    with _quiet():
        import bpx

    return str(bpx.__version__)


def _check_sections(raw: Mapping[str, Any]) -> None:
    """Objects where ``bpx`` takes them for granted, and a positive electrode."""
    inner = raw.get("Parameterisation")
    if not isinstance(inner, Mapping):
        what = "must be an object" if "Parameterisation" in raw else "is missing"
        raise InputError(Mistake("Parameterisation", f"{what}; it holds the parameters"))
    mistakes = [
        Mistake(name, "must be an object with the parameters of this part")
        for name in SECTIONS
        if name in inner and not isinstance(inner[name], Mapping)
    ]
    if POSITIVE not in inner:
        there = ", ".join(name for name in SECTIONS if name in inner) or "nothing"
        message = f"is missing (the file has {there}); nmcsim takes its material from there"
        mistakes.append(Mistake(POSITIVE, message))
    if mistakes:
        raise InputError(mistakes)


def _check_formulas(raw: Mapping[str, Any]) -> None:
    """Refuse what would end ``bpx`` in an exception: formulas that break off, unknown functions."""
    mistakes = []
    for where, text in _formulas(raw["Parameterisation"]):
        called = sorted(set(re.findall(r"([A-Za-z_]\w*)\s*\(", text)) - set(KNOWN))
        if where[-1] == OCP and called:  # bpx runs an OCP as Python
            message = f"calls {', '.join(called)}, and BPX knows {', '.join(KNOWN)} only"
            mistakes.append(Mistake(place(*where), message))
        elif broken := _broken(text):
            mistakes.append(Mistake(place(*where), f"is no formula in x: {broken}"))
    if mistakes:
        raise InputError(mistakes)


def _formulas(part: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Texts where a unit makes numbers of them, with their keys."""
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from _formulas(value, *above, key)
        elif isinstance(value, str) and key.endswith("]"):
            yield (*above, key), value


def _broken(text: str) -> str:
    """Why the parser of ``bpx`` gives up on a formula; empty if it reads it, or says so itself."""
    with _quiet():
        import bpx
        from pyparsing import ParseBaseException, ParseException
    try:
        bpx.Function.parser.parse_string(text)
    except ParseException:
        return ""  # a mistake of the schema, with the others
    except ParseBaseException as error:
        return " ".join(str(error).split())
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _validated(raw: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    from pydantic import ValidationError

    with _quiet():
        import bpx
        import bpx.schema_utils
    # bpx compiles each OCP in a temporary file that it leaves behind
    with (
        tempfile.TemporaryDirectory() as folder,
        _temporary_files_in(folder),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            model = bpx.parse_bpx_obj(json.loads(json.dumps(raw)))
        except ValidationError as error:
            raise InputError(list(sentences(error, raw))) from None
        except ArithmeticError as error:
            message = f"cannot be evaluated at the stoichiometry limits: {error}"
            raise InputError(Mistake("an OCP [V]", message)) from None
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            message = f"is not as BPX has it: {' '.join(str(error).split())}"
            raise InputError(Mistake("Parameterisation", message)) from None
    said = [" ".join(str(w.message).split()) for w in caught if w.category is UserWarning]
    said = [sentence for sentence in said if not sentence.startswith("Detected a legacy")]
    return model, tuple(f"bpx says: {s[:1].lower()}{s[1:]}" for s in dict.fromkeys(said))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """``bpx`` uses names that pyparsing has renamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    before = tempfile.tempdir
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before


def _refuse(path: Path, message: str) -> NoReturn:
    raise InputError(Mistake("", message), str(path)) from None
