"""A folder of YAML as a catalogue: every mistake at once, each with its file, line and field; and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from contracts_service.catalog.domain.checks import flaws
from contracts_service.catalog.domain.models import SECTIONS, Catalog, content_of
from event_schemas.contract_v2 import Flaw
from event_schemas.contract_v2.flaws import flaws_of
from event_schemas.values import Currency

_LOADER = yaml.SafeLoader
_CURRENCIES: TypeAdapter[tuple[Currency, ...]] = TypeAdapter(tuple[Currency, ...])


def _adapter(section: str) -> TypeAdapter[Any]:
    annotation: Any = Catalog.model_fields[section].annotation
    return TypeAdapter(annotation)


_KEYS = {section: _adapter(section) for section in SECTIONS}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. `line` counts from 1; None where the file as a whole is meant."""

    file: str
    line: int | None
    code: str
    field: str
    sentence: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.field}: {self.sentence}" if self.field else f"{where}: {self.sentence}"


class CatalogRefused(Exception):
    """The folder holds no sound catalogue; all that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    node: yaml.MappingNode
    document: dict[str, Any]


def read_folder(folder: Path) -> Catalog:
    """
    The catalogue of all `.yaml` and `.yml` files below a folder; which entry stands in which file is up to its owner.

    Raises:
        CatalogRefused: with every mistake in all files.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())
    if not paths:
        raise CatalogRefused([Mistake(str(folder), None, "no_files", "", "there is no .yaml file in this folder")])
    mistakes: list[Mistake] = []
    files = [file for path in paths if (file := _read(path, str(path.relative_to(folder)), mistakes)) is not None]
    merged = _merged(files, mistakes)
    sound, found = _entries(merged)
    catalog = Catalog.model_construct(**sound)
    named = {section: frozenset(merged[section]) for section in SECTIONS}
    mistakes += [_placed(flaw, files) for flaw in (*found, *flaws(catalog, named))]
    if mistakes:
        raise CatalogRefused(sorted(mistakes, key=lambda one: (one.file, one.line or 0)))
    return catalog


def read_document(document: Any) -> Catalog:
    """
    The catalogue of one document, as the service is sent it.

    Raises:
        CatalogRefused: with every mistake; the file is `catalog`.
    """
    if not isinstance(document, Mapping):
        raise CatalogRefused([Mistake("catalog", None, "wrong_type", "", "a catalogue is a group of named sections")])
    mistakes: list[Mistake] = []
    merged = _merged([_File("catalog", yaml.MappingNode("", []), dict(document))], mistakes)
    sound, found = _entries(merged)
    catalog = Catalog.model_construct(**sound)
    named = {section: frozenset(merged[section]) for section in SECTIONS}
    mistakes += [
        Mistake("catalog", None, flaw.code, flaw.field, flaw.sentence) for flaw in (*found, *flaws(catalog, named))
    ]
    if mistakes:
        raise CatalogRefused(mistakes)
    return catalog


def to_files(catalog: Catalog) -> dict[str, str]:
    """The catalogue as YAML, a file for each section; `read_folder` of them is equal to it."""
    content = content_of(catalog)
    files = {}
    for section in ("currencies", *SECTIONS):
        if content.get(section):
            text = yaml.safe_dump({section: content[section]}, sort_keys=False, width=120, allow_unicode=True)
            files[f"{section.replace('_', '-')}.yaml"] = text
    return files


def _read(path: Path, name: str, mistakes: list[Mistake]) -> _File | None:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        mistakes.append(Mistake(name, None, "unreadable", "", "cannot be read as text: it must be YAML in UTF-8"))
        return None
    try:
        node = yaml.compose(text, Loader=_LOADER)
        document = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        mistakes.append(Mistake(name, line, "not_yaml", "", "is not YAML: look at indentation, colons and quotes"))
        return None
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        mistakes.append(Mistake(name, line, "wrong_type", "", "a file holds sections, such as `plans:`"))
        return None
    for field, at in _twice(node, "", set()):
        mistakes.append(Mistake(name, at, "duplicate_key", field, "stands twice in this file; take one of them away"))
    return _File(name, node, document)


def _twice(node: yaml.Node, field: str, seen: set[int]) -> Iterator[tuple[str, int]]:
    """(field, line) of each key that its group has already: YAML lets the last one win, silently."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, member in enumerate(node.value):
            yield from _twice(member, f"{field}.{place}", seen)
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            path = f"{field}.{name}" if field else name
            if name in names:
                yield path, key.start_mark.line + 1
            names.add(name)
            yield from _twice(value, path, seen)


def _merged(files: list[_File], mistakes: list[Mistake]) -> dict[str, Any]:
    """One document of all files; a key that stands in two of them, and what is no section, is a mistake."""
    merged: dict[str, Any] = {"currencies": [], **{section: {} for section in SECTIONS}}
    home: dict[tuple[str, Any], str] = {}
    for file in files:
        for section, content in file.document.items():
            if section not in merged:
                sentence = f"{section} is no section; there are currencies, {', '.join(SECTIONS)}"
                mistakes.append(Mistake(file.name, _line(file.node, str(section)), "unknown_field", "", sentence))
            elif section == "currencies":
                merged[section] += content if isinstance(content, list) else [content]
            elif content is not None and not isinstance(content, dict):
                sentence = f"{section} must be a group of entries, each under its own key"
                mistakes.append(Mistake(file.name, _line(file.node, section), "wrong_type", section, sentence))
            else:
                for key, entry in (content or {}).items():
                    if (section, key) in home:
                        field, other = f"{section}.{key}", home[section, key]
                        sentence = f"stands in {other} too; take one of them away"
                        line = _line(file.node, field)
                        mistakes.append(Mistake(file.name, line, "duplicate_key", field, sentence))
                    home[section, key] = file.name
                    merged[section][key] = entry
    return merged


def _entries(merged: dict[str, Any]) -> tuple[dict[str, Any], list[Flaw]]:
    """The entries that are sound by themselves, and what is wrong with the others."""
    sound: dict[str, Any] = {}
    found: list[Flaw] = []
    try:
        sound["currencies"] = _CURRENCIES.validate_python(merged["currencies"])
    except ValidationError as error:
        sound["currencies"] = tuple(Currency)  # so that no price is at fault for it
        found += _of_section("currencies", error, merged["currencies"])
    for section in SECTIONS:
        sound[section] = {}
        for key, entry in merged[section].items():
            try:
                sound[section] |= _KEYS[section].validate_python({key: entry})
            except ValidationError as error:
                found += _of_section(section, error, {key: entry})
    return sound, found


def _of_section(section: str, error: ValidationError, document: Any) -> Iterator[Flaw]:
    for flaw in flaws_of(error, document):
        yield Flaw(flaw.code, f"{section}.{flaw.field}" if flaw.field else section, flaw.sentence)


def _placed(flaw: Flaw, files: list[_File]) -> Mistake:
    """In the file that holds the entry."""
    section, _, rest = flaw.field.partition(".")
    key = rest.partition(".")[0]
    for file in files:
        content = file.document.get(section)
        if content is not None and (not isinstance(content, dict) or key in map(str, content)):
            return Mistake(file.name, _line(file.node, flaw.field), flaw.code, flaw.field, flaw.sentence)
    return Mistake(files[0].name if files else "", None, flaw.code, flaw.field, flaw.sentence)


def _line(node: yaml.Node, field: str) -> int | None:
    """The line on which a field stands; that of what it is missing from."""
    line = node.start_mark.line + 1 if node.start_mark is not None else None
    for part in field.split("."):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if str(key.value) == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            return line
    return line
