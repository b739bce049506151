"""The import of a bank file: items, revisions, variants, and a draft of the new parameters.

A new revision is made only when text, key, content area or description changed; a draft only when
parameters did. Called by `tarozu bank import` and the demonstration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.items.authoring.imported import Arrival, Terms, brings_sign_offs, state_after
from item_bank.items.authoring.records import import_sign_offs, keep_move
from item_bank.items.authoring.standings import policy, signed_of
from item_bank.items.bank_files import BankSource, ItemSource
from item_bank.items.calibrations import DraftRow, add_draft
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.illustrations import Illustrations, keep_illustrations
from item_bank.items.life_cycle import IMPORT, Actor, State
from item_bank.items.plans import EVERY_LANGUAGE, Parameters, last_release, plan
from item_bank.items.scoring import misfit
from item_bank.store.audit import append_site_event
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.media import MediumInfo
from item_bank.store.tables.authoring import RevisionEditor, SignOff
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import (
    Bank,
    Item,
    ItemRevision,
    ItemVariant,
    RevisionMedium,
    StimulusRevision,
)


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do: item codes by what happened to them.

    Parameters
    ----------
    statuses
        Items with another status than before.
    about
        What is new of the bank itself: its name, content areas or note.
    """

    bank_code: str
    new_bank: bool
    new: tuple[str, ...]
    revised: tuple[str, ...]
    unchanged: tuple[str, ...]
    parameters: tuple[str, ...]
    without_parameters: tuple[str, ...]
    statuses: tuple[str, ...]
    about: tuple[str, ...]
    draft: int | None

    @property
    def changed(self) -> bool:
        """Whether anything changed."""
        parts = (self.new, self.revised, self.parameters, self.statuses, self.about)
        return self.new_bank or any(parts)


class _DryRun(Exception):  # noqa: N818 - rolls a transaction back
    pass


def _keep_nothing_if(dry_run: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if dry_run:
        raise _DryRun


def import_bank(
    db: Database,
    source: BankSource,
    *,
    organisation_id: str,
    bank_code: str | None = None,
    dry_run: bool = False,
    terms: Terms | None = None,
) -> ImportReport:
    """Make or change a bank from a file that was read, whole or not at all.

    Parameters
    ----------
    bank_code
        Goes before the code in the file; one of the two must be there.
    dry_run
        Do it all and keep nothing.
    terms
        Who wrote the file, the state of its new items, and whether it was reviewed elsewhere.

    Raises
    ------
    InputError
        When no bank is named, or a type of item does not go with its new parameters.
    """
    code = bank_code or source.code
    if code is None:
        raise InputError("a bank's code, in the file or as --bank", "none", file=source.file)
    made: list[ImportReport] = []
    try:
        with db.write() as session:
            made.append(
                _import(session, source, code, organisation_id, terms or Terms(), db.now(session))
            )
            _keep_nothing_if(dry_run)
    except _DryRun:
        pass
    except InputError as error:
        file, line, column = error.file or source.file, error.line, error.column
        raise InputError(error.expected, error.found, file=file, line=line, column=column) from None
    return made[0]


@dataclass(frozen=True)
class _Content:
    """What a revision says."""

    type: str
    content_area: str
    key: Mapping[str, Any]
    about: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]
    media: Mapping[str, MediumInfo]
    stimulus: StimulusRevision | None

    def hash(self) -> str:
        """Hash of all that is said and shown, the stimulus included."""
        media = {name: medium.sha256 for name, medium in self.media.items()}
        stimulus = self.stimulus.content_hash if self.stimulus else None
        said = [self.type, self.content_area, self.key, self.about, self.variants]
        return content_hash([*said, media, stimulus])


def revision_hash(
    revision: ItemRevision,
    variants: Mapping[str, Any],
    media: Mapping[str, str],
    stimulus: str | None,
) -> str:
    """Hash of all that a revision says and shows.

    Parameters
    ----------
    media
        Hashes of the media that its texts show, by name.
    stimulus
        Hash of its stimulus.
    """
    r = revision
    return content_hash([r.type, r.content_area, r.key, r.about, variants, media, stimulus])


@dataclass
class _Work:
    """The bank as it is found, and what is to be written."""

    bank: Bank
    now: int
    items: dict[str, Item]
    newest: dict[str, ItemRevision]
    variants: dict[str, dict[str, Any]]
    parameters: dict[str, Mapping[str, Parameters]]
    illustrations: Illustrations
    new_items: list[Item] = field(default_factory=list)
    new_revisions: list[ItemRevision] = field(default_factory=list)
    new_variants: list[ItemVariant] = field(default_factory=list)
    new_media: list[RevisionMedium] = field(default_factory=list)
    new_editors: list[RevisionEditor] = field(default_factory=list)
    new_sign_offs: list[SignOff] = field(default_factory=list)
    moves: list[tuple[Item, str]] = field(default_factory=list)
    terms: Terms = field(default_factory=Terms)
    review_required: bool = False
    signed: set[str] = field(default_factory=set)
    rows: list[DraftRow] = field(default_factory=list)
    codes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, code: str) -> None:
        self.codes.setdefault(what, []).append(code)

    def noted(self, what: str) -> tuple[str, ...]:
        return tuple(self.codes.get(what, ()))


def _import(
    session: Session,
    source: BankSource,
    code: str,
    organisation_id: str,
    terms: Terms,
    now: int,
) -> ImportReport:
    bank, is_new = _bank(session, code, organisation_id, now)
    about = tuple(name for name, says in source.about.items() if bank.about.get(name) != says)
    bank.about = {**bank.about, **source.about}
    work = _found(session, bank, now, keep_illustrations(session, bank, source, now))
    _check_sets(work, source)
    work.terms, work.review_required = terms, policy(bank.about).review_required
    if terms.signed_off:
        work.signed = set(signed_of(session, [one.id for one in work.newest.values()]))
    for index, item in enumerate(source.items):
        _import_item(work, item, index)
    for rows in (work.new_items, work.new_revisions, work.new_variants, work.new_media):
        session.add_all(rows)
        session.flush()
    session.add_all([*work.new_editors, *work.new_sign_offs])
    for moved, state in work.moves:
        keep_move(session, bank, moved, state, Actor(IMPORT, terms.editor.id), "", now)
    draft = _save_parameters(session, work)
    report = ImportReport(
        code,
        is_new,
        work.noted("new"),
        work.noted("revised"),
        work.noted("unchanged"),
        work.noted("parameters"),
        work.noted("without"),
        work.noted("status"),
        () if is_new else about,
        draft,
    )
    if report.changed or work.new_sign_offs:
        _event(session, work, report)
    return report


def _bank(session: Session, code: str, organisation_id: str, now: int) -> tuple[Bank, bool]:
    query = select(Bank).where(Bank.organisation_id == organisation_id, Bank.code == code)
    bank = session.scalars(query.with_for_update()).one_or_none()
    if bank is not None:
        return bank, False
    bank = Bank(id=new_id(), organisation_id=organisation_id, code=code, created_at=now)
    bank.about = {}
    session.add(bank)
    session.flush()
    return bank, True


def _check_sets(work: _Work, source: BankSource) -> None:
    """Refuse a new stimulus or medium under the name of one that an item outside of it shows."""
    given = {item.code for item in source.items}
    for code, item in work.items.items():
        newest = work.newest.get(item.id)
        name = newest.about.get("stimulus") if newest else None
        if name in work.illustrations.revised and code not in given and item.status != "retired":
            expected = f"all items about stimulus {name}, whose text changed"
            raise InputError(expected, "none in the file", column=f"item {code}")
        shown = work.illustrations.of_revisions.get(newest.id, {}) if newest else {}
        for medium in sorted(set(shown) & set(work.illustrations.media)):
            same = shown[medium].sha256 == work.illustrations.media[medium].sha256
            if not same and code not in given:
                expected = f"another name for {medium}, or the item in the file, too"
                raise InputError(expected, "the name of its medium", column=f"item {code}")


def _found(session: Session, bank: Bank, now: int, illustrations: Illustrations) -> _Work:
    items = {i.code: i for i in session.scalars(select(Item).where(Item.bank_id == bank.id))}
    revisions = (
        select(ItemRevision)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.bank_id == bank.id)
        .order_by(ItemRevision.number)
    )
    newest = {revision.item_id: revision for revision in session.scalars(revisions)}
    texts = (
        select(ItemVariant)
        .join(ItemRevision, ItemRevision.id == ItemVariant.revision_id)
        .join(Item, Item.id == ItemRevision.item_id)
        .where(Item.bank_id == bank.id)
    )
    variants: dict[str, dict[str, Any]] = {}
    for variant in session.scalars(texts):
        variants.setdefault(variant.revision_id, {})[variant.language] = variant.content
    planned = {item.revision_id: item.parameters for item in plan(session, bank).items}
    return _Work(bank, now, items, newest, variants, planned, illustrations)


def _import_item(work: _Work, source: ItemSource, index: int) -> None:
    areas = work.bank.about.get("content_areas")
    if areas and source.content_area and source.content_area not in areas:
        expected = f"one of the bank's content areas: {', '.join(areas)}"
        column = f"item {source.code}: content"
        raise InputError(expected, repr(source.content_area), column=column)
    known = work.items.get(source.code)
    item = known or _new_item(work, source, index)
    revision = _revision(work, item, source)
    _set_state(work, item, revision, source, before=known.status if known else None)
    before = work.parameters.get(revision.id, {})
    if not source.parameters and not before:
        work.note("without", item.code)
    elif source.parameters and not _same(before, source.parameters):
        work.note("parameters", item.code)
        work.rows += [
            DraftRow(revision.id, language, p.model, p.values, p.se)
            for language, p in source.parameters.items()
        ]


def _set_state(
    work: _Work, item: Item, revision: ItemRevision, source: ItemSource, before: str | None
) -> None:
    """Give an item the state that it has after the import, with the sign-offs that go with it."""
    newest = work.newest.get(item.id)
    revised = newest is None or newest.id != revision.id
    arrival = Arrival(item.code, before, source.status, bool(source.parameters), revised)
    state = state_after(arrival, work.terms, review_required=work.review_required)
    if before is None:
        item.status = state
    elif before != state:
        work.moves.append((item, state))
        work.note("status", item.code)
    if revised and work.terms.editor.id is not None:
        work.new_editors.append(
            RevisionEditor(
                revision_id=revision.id,
                organisation_id=work.bank.organisation_id,
                account_id=work.terms.editor.id,
            )
        )
    unsigned = revised or (work.terms.signed_off and revision.id not in work.signed)
    brings = brings_sign_offs(state, work.terms, review_required=work.review_required)
    if unsigned and brings and revision.type != PARAMETERS_ONLY:
        languages = sorted(source.variants or work.variants.get(newest.id if newest else "", {}))
        work.new_sign_offs += import_sign_offs(work.bank, item.id, revision.id, languages, work.now)


def _new_item(work: _Work, source: ItemSource, index: int) -> Item:
    """Items of one import are made a microsecond apart, which keeps their order in the file."""
    item = Item(
        id=new_id(),
        organisation_id=work.bank.organisation_id,
        bank_id=work.bank.id,
        code=source.code,
        status=State.DRAFT,
        created_at=work.now + index,
    )
    work.new_items.append(item)
    return item


def _revision(work: _Work, item: Item, source: ItemSource) -> ItemRevision:
    """Return the item's newest revision: a new one where the file says something else."""
    old = work.newest.get(item.id)
    says = _content(work, source, old)
    if old is not None and old.content_hash == says.hash():
        work.note("unchanged", item.code)
        return old
    work.note("revised" if old else "new", item.code)
    revision = ItemRevision(
        id=new_id(),
        organisation_id=work.bank.organisation_id,
        item_id=item.id,
        number=old.number + 1 if old else 1,
        type=says.type,
        content_area=says.content_area,
        key=dict(says.key),
        about=dict(says.about),
        stimulus_revision_id=says.stimulus.id if says.stimulus else None,
        content_hash=says.hash(),
        created_at=work.now,
    )
    work.new_revisions.append(revision)
    work.new_variants += [
        ItemVariant(
            revision_id=revision.id,
            language=language,
            organisation_id=work.bank.organisation_id,
            content=dict(content),
        )
        for language, content in says.variants.items()
    ]
    place = {"revision_id": revision.id, "organisation_id": work.bank.organisation_id}
    work.new_media += [
        RevisionMedium(name=name, medium_id=medium.id, **place)
        for name, medium in says.media.items()
    ]
    return revision


def _content(work: _Work, source: ItemSource, old: ItemRevision | None) -> _Content:
    """What the new revision says; a file with parameters only keeps the text that there is."""
    illustrations = work.illustrations
    if source.type != PARAMETERS_ONLY or old is None:
        return _Content(
            source.type,
            source.content_area or "",
            source.key,
            source.about,
            source.variants,
            illustrations.shown_by(source.variants),
            _stimulus(work, source.about, source.variants, source.code),
        )
    _check_model(source, old)
    about, variants = {**old.about, **source.about}, work.variants.get(old.id, {})
    return _Content(
        old.type,
        old.content_area if source.content_area is None else source.content_area,
        old.key,
        about,
        variants,
        illustrations.of_revisions.get(old.id, {}),
        _stimulus(work, about, variants, source.code),
    )


def _stimulus(
    work: _Work, about: Mapping[str, Any], variants: Mapping[str, Any], code: str
) -> StimulusRevision | None:
    """The newest wording of what an item with a text asks about, if the bank has it."""
    name = str(about.get("stimulus"))
    found = work.illustrations.stimuli.get(name) if variants else None
    missing = set(variants) - work.illustrations.languages.get(name, set()) if found else set()
    if missing:
        expected = f"stimulus {name} in language {min(missing)}"
        raise InputError(expected, "none", column=f"item {code}: stimulus")
    return found


def _check_model(source: ItemSource, old: ItemRevision) -> None:
    for given in source.parameters.values():
        wanted = misfit(old.type, old.key, given.model, given.values)
        if wanted:
            where = f"item {source.code}: model"
            raise InputError(wanted, given.model, column=where)


def _same(before: Mapping[str, Parameters], given: Mapping[str, Parameters]) -> bool:
    """Whether a file's parameters are what a release would have anyway."""
    if EVERY_LANGUAGE in given:
        return bool(before) and all(p == given[EVERY_LANGUAGE] for p in before.values())
    return all(before.get(language) == p for language, p in given.items())


def _save_parameters(session: Session, work: _Work) -> int | None:
    if not work.rows:
        return None
    base = last_release(session, work.bank.id)
    base_id = base.id if base else None
    return add_draft(session, work.bank, "import", work.rows, work.now, base_release_id=base_id)


def _event(session: Session, work: _Work, report: ImportReport) -> None:
    bank, terms = work.bank, work.terms
    payload = {
        "bank": bank.code,
        "by": terms.editor.id,
        "signed_off": terms.signed_off,
        "sign_offs": len(work.new_sign_offs),
        "new": len(report.new),
        "revised": len(report.revised),
        "parameters": len(report.parameters),
        "draft": report.draft,
    }
    append_site_event(session, "bank_imported", payload, work.now, bank.organisation_id)
