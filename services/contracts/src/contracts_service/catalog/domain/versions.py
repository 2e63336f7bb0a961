"""
The catalogue over time: every version of every entry is kept, and a folder is held against what is kept.

    new           the key was never offered
    new version   the terms are others, and the entry says the next version
    corrected     the terms are others within a version that nobody has agreed to
    relabelled    another name, or other limits on who may get it: no customer pays otherwise
    withdrawn     it is no longer in the folder: no new customers, who has it keeps it
    offered again it was withdrawn, and is back
    unchanged     the same as before

What would edit terms that somebody has agreed to is refused, with the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from contracts_service.catalog.domain.models import LABELS, SECTIONS, VERSIONED, Catalog, content_of
from event_schemas.contract_v2 import Flaw

What = Literal["new", "new version", "corrected", "relabelled", "withdrawn", "offered again", "unchanged"]
Uses = Mapping[tuple[str, str, int], int]  # (section, key, version) -> customers who have agreed to it


class Kept(BaseModel):
    """An entry with all its versions. `versions` holds whole entries by number; the highest is the one on offer."""

    model_config = ConfigDict(frozen=True)

    versions: dict[int, dict[str, Any]]
    withdrawn: bool = False

    @property
    def newest(self) -> int:
        """The number of the version on offer; entries without versions have one."""
        return max(self.versions)


class KeptCatalog(BaseModel):
    """What the service has stored. `number` grows with each apply that changes something; 0 is the empty one."""

    model_config = ConfigDict(frozen=True)

    number: int = 0
    currencies: tuple[str, ...] = ()
    entries: dict[str, dict[str, Kept]] = {}

    def offered(self) -> Catalog:
        """What is on offer now, as a folder would say it."""
        sections: dict[str, Any] = {"currencies": self.currencies}
        for section in SECTIONS:
            kept = self.entries.get(section, {})
            sections[section] = {key: one.versions[one.newest] for key, one in kept.items() if not one.withdrawn}
        return Catalog.model_validate(sections)


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry of the folder against what is kept; `sentence` says it in words."""

    section: str
    key: str
    what: What
    version: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, and what cannot be done; nothing can be applied while there is any of the latter."""

    differences: tuple[Difference, ...]
    refusals: tuple[Flaw, ...]

    @property
    def changes(self) -> tuple[Difference, ...]:
        """The differences that applying would make."""
        return tuple(one for one in self.differences if one.what != "unchanged")


def compare(kept: KeptCatalog, wanted: Catalog, uses: Uses) -> Comparison:
    """What applying a folder would change, in the order of the sections, and what stands in its way."""
    differences: list[Difference] = []
    refusals: list[Flaw] = []
    if gone := [currency for currency in kept.currencies if currency not in wanted.currencies]:
        added = [f"{', '.join(gone)}: no new contract, existing ones stay in it"]
    else:
        added = []
    fresh = [currency.value for currency in wanted.currencies if currency.value not in kept.currencies]
    what: What = "new" if fresh else "withdrawn" if gone else "unchanged"
    if wanted.currencies or kept.currencies:
        told = [f"{', '.join(fresh)} can be sold in from now on"] if fresh else []
        sentence = "; ".join(told + added) or "the same currencies"
        differences.append(Difference("currencies", "currencies", what, 1, sentence))
    for section in SECTIONS:
        had, has = kept.entries.get(section, {}), getattr(wanted, section)
        for key in (*has, *(key for key in had if key not in has)):
            entry = content_of(has[key]) if key in has else None
            for found in _entry(section, key, had.get(key), entry, uses):
                (refusals if isinstance(found, Flaw) else differences).append(found)  # type: ignore[arg-type]
    return Comparison(tuple(differences), tuple(refusals))


def _entry(
    section: str, key: str, had: Kept | None, entry: dict[str, Any] | None, uses: Uses
) -> Iterator[Difference | Flaw]:
    noun = SECTIONS[section][1]
    if entry is None:
        if had is not None:
            yield _gone(section, key, had, uses)
        return
    version = entry.get("version", 1)
    if had is None:
        yield Difference(section, key, "new", version, f"the {noun} {key} is new")
        return
    if section not in VERSIONED:
        yield _unversioned(section, key, had, entry)
        return
    newest, before = had.newest, had.versions[had.newest]
    fields = _differing(before, entry, labels=False)
    if version not in (newest, newest + 1):
        way = f"write version: {newest + 1} for new terms, or version: {newest} for those that stand"
        sentence = f"the {noun} {key} stands at version {newest}, and the folder says {version}; {way}"
        yield Flaw("version_skipped", f"{section}.{key}.version", sentence)
    elif version == newest + 1 and not fields:
        sentence = f"version {version} of the {noun} {key} says the same as version {newest}; leave it at {newest}"
        yield Flaw("version_without_change", f"{section}.{key}.version", sentence)
    elif version == newest + 1:
        kept = _customers(uses.get((section, key, newest), 0))
        sentence = f"version {version} of the {noun} {key}: {_words(before, entry, fields)}; {kept} on version {newest}"
        yield Difference(section, key, "new version", version, sentence)
    elif fields and (customers := uses.get((section, key, newest), 0)):
        sentence = (
            f"{customers} customer{'s have' if customers > 1 else ' has'} agreed to version {newest} of the {noun} "
            f"{key}, and it would change: {_words(before, entry, fields)}. Write version: {newest + 1} beside the new "
            "terms: new customers get them, and who has agreed keeps what was agreed"
        )
        yield Flaw("price_in_use", f"{section}.{key}.{fields[0]}", sentence)
    else:
        yield _same_version(section, key, had, entry, fields)


def _gone(section: str, key: str, had: Kept, uses: Uses) -> Difference:
    noun = SECTIONS[section][1]
    customers = sum(count for (of, name, _), count in uses.items() if (of, name) == (section, key))
    if had.withdrawn:
        return Difference(section, key, "unchanged", had.newest, f"the {noun} {key} stays withdrawn")
    keep = f"; {_customers(customers)}" if customers else ""
    sentence = f"the {noun} {key} is withdrawn: no new customers{keep}"
    return Difference(section, key, "withdrawn", had.newest, sentence)


def _customers(count: int) -> str:
    return {0: "nobody is", 1: "1 customer stays"}.get(count, f"{count} customers stay")


def _unversioned(section: str, key: str, had: Kept, entry: dict[str, Any]) -> Difference:
    noun, before = SECTIONS[section][1], had.versions[had.newest]
    fields = _differing(before, entry, labels=False) + _differing(before, entry, labels=True)
    if had.withdrawn:
        return Difference(section, key, "offered again", 1, f"the {noun} {key} is offered again")
    if fields:
        return Difference(section, key, "relabelled", 1, f"the {noun} {key}: {_words(before, entry, fields)}")
    return Difference(section, key, "unchanged", 1, f"the {noun} {key} stays as it is")


def _same_version(section: str, key: str, had: Kept, entry: dict[str, Any], fields: list[str]) -> Difference:
    noun, before, version = SECTIONS[section][1], had.versions[had.newest], had.newest
    labels = _differing(before, entry, labels=True)
    if had.withdrawn:
        more = f": {_words(before, entry, fields + labels)}" if fields or labels else ""
        return Difference(section, key, "offered again", version, f"the {noun} {key} is offered again{more}")
    if fields:
        sentence = f"the {noun} {key}, which nobody has agreed to yet: {_words(before, entry, fields + labels)}"
        return Difference(section, key, "corrected", version, sentence)
    if labels:
        sentence = f"the {noun} {key}: {_words(before, entry, labels)}"
        return Difference(section, key, "relabelled", version, sentence)
    return Difference(section, key, "unchanged", version, f"the {noun} {key} stays as it is")


def _differing(before: dict[str, Any], after: dict[str, Any], *, labels: bool) -> list[str]:
    """The paths in which two entries differ, `version` apart; those of labels, or those of terms."""
    ours, theirs = dict(_leaves("", before)), dict(_leaves("", after))
    paths = (path for path in {**ours, **theirs} if ours.get(path) != theirs.get(path) and path != "version")
    return [path for path in paths if (path.partition(".")[0] in LABELS) == labels]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, member)
    elif isinstance(value, list) and any(isinstance(member, dict) for member in value):
        for place, member in enumerate(value):
            yield from _leaves(f"{path}.{place}", member)
    else:
        yield path, value


def _words(before: dict[str, Any], after: dict[str, Any], fields: list[str]) -> str:
    ours, theirs = dict(_leaves("", before)), dict(_leaves("", after))
    return ", ".join(f"{path} {_say(ours.get(path))} -> {_say(theirs.get(path))}" for path in fields)


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def applied(kept: KeptCatalog, wanted: Catalog) -> KeptCatalog:
    """What is kept after a folder was applied that `compare` does not refuse; equal to `kept` where nothing changes."""
    entries: dict[str, dict[str, Kept]] = {}
    for section in SECTIONS:
        had, has = kept.entries.get(section, {}), getattr(wanted, section)
        entries[section] = {}
        for key in (*had, *(key for key in has if key not in had)):
            versions = dict(had[key].versions) if key in had else {}
            if key in has:
                content = content_of(has[key])
                versions[content.get("version", 1) if section in VERSIONED else 1] = content
            entries[section][key] = Kept(versions=versions, withdrawn=key not in has)
    after = kept.model_copy(update={"currencies": tuple(map(str, wanted.currencies)), "entries": entries})
    if after.currencies == kept.currencies and _plain(after) == _plain(kept):
        return kept
    return after.model_copy(update={"number": kept.number + 1})


def _plain(kept: KeptCatalog) -> dict[str, dict[str, Kept]]:
    """Without the sections that are empty, which a catalogue from before them does not have."""
    return {section: entries for section, entries in kept.entries.items() if entries}
