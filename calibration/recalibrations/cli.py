"""The command ``tarozu calibrate recalibrate``: from recorded sittings to a draft of parameters.

The one file of this folder, and with its neighbours the only ones of this package, that meets the
database. What is computed is in ``calibration.recalibration``; this reads, writes and records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.fits.cli import (
    Additions,
    check_numbers,
    em_options,
    say_results,
    write_results,
)
from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from calibration.matrix import ResponseMatrix
    from calibration.mml import Settings
    from calibration.recalibration import Recalibration
    from calibration.recalibrations.gates import Gates
    from calibration.recalibrations.judgements import Judgement
    from engine.items import ItemParameters
    from item_bank.exams.responses import RecordedResponse
    from item_bank.items.calibrations import DraftRow
    from item_bank.items.releases import ReleaseItems
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path)
EVERY_LANGUAGE = ""


@dataclass(frozen=True)
class _How:
    """The options that say what is estimated, how it comes onto the scale, and what may count."""

    strategy: str
    screen: str
    limit: float
    free: str
    gates: Path | None
    dif: Path | None


def _print_gates(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from calibration.recalibrations.gates import Gates, gates_text

        click.echo(gates_text(Gates()))
        ctx.exit()


@click.command(short_help="Fit a bank's items anew to recorded sittings.")
@click.option("--bank", "code", required=True, metavar="CODE", help="The bank.")
@click.option("--since", metavar="DATE", help="Only sittings from this day (UTC) or time on.")
@click.option(
    "--strategy",
    default="fixed",
    show_default=True,
    help="fixed: hold the operational items; link: free all, and link back through them.",
)
@click.option(
    "--screen",
    default="robust-z",
    show_default=True,
    help="With link: robust-z drops anchors that drifted, none keeps all.",
)
@click.option("--limit", type=float, default=2.7, show_default=True, help="Largest robust z.")
@click.option(
    "--free",
    default="pretest",
    show_default=True,
    metavar="ITEMS",
    help="Items to estimate: pretest, all, or codes with commas; all where none is pretest.",
)
@click.option("--gates", type=FILE, metavar="FILE", help="What pretest items must pass (TOML).")
@click.option(
    "--show-gates",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_gates,
    help="Print the default gates as a file for --gates, and end.",
)
@click.option("--dif", type=FILE, metavar="FILE", help="Table of calibrate dif, for the gates.")
@click.option("--out", type=FILE, metavar="DIR", help="Folder (recalibration-CODE).")
@click.option("--prior", multiple=True, metavar="PRIOR", help="As a=lognormal(MEAN,SD); none.")
@em_options
@click.pass_obj
def recalibrate(
    console: Console,
    /,
    *,
    code: str,
    since: str | None,
    out: Path | None,
    prior: tuple[str, ...],
    quadrature: int,
    tolerance: float,
    max_iterations: int,
    **how: Any,
) -> None:
    """Fit items of a bank anew, record the calibration run, and keep a draft of parameters.

    Nothing is published: see `tarozu bank diff CODE N draft` and `tarozu bank publish CODE`.
    """
    from calibration.mml import Settings
    from calibration.outputs import check_folder
    from calibration.priors import RECALIBRATION, parse_priors

    options = _checked(_How(**how))
    check_numbers(quadrature, tolerance, max_iterations)
    start, folder = microseconds(since), out or Path(f"recalibration-{code}")
    check_folder(folder)
    priors = parse_priors(prior, RECALIBRATION)
    settings = Settings(priors, quadrature, tolerance, max_iterations)
    shown: dict[str, Any] = {"bank": code, "since": since, **_texts(vars(options))}
    shown |= {"quadrature": quadrature, "tolerance": tolerance, "max_iterations": max_iterations}
    shown["centred"] = not any(text == "none" or text.startswith("a") for text in prior)
    figures = _recalibrated(console, code, start, options, settings, folder, shown)
    say_results(console, figures, folder)
    console.note(
        f"draft {figures['draft']}: compare with `tarozu bank diff {code} {figures['release']} "
        f"draft`, then `tarozu bank publish {code}`"
    )


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}


def _checked(how: _How) -> _How:
    from calibration.linking.cli import SCREENS, check_limit
    from calibration.recalibrations.plans import STRATEGIES

    for column, value, known in (
        ("--strategy", how.strategy, STRATEGIES),
        ("--screen", how.screen, SCREENS),
    ):
        if value not in known:
            raise InputError(" or ".join(known), value, column=column)
    check_limit(how.limit)
    return how


def microseconds(since: str | None) -> int | None:
    """Read a day or a time, UTC unless it says otherwise."""
    from datetime import UTC, datetime

    if since is None:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise InputError("a day as 2026-01-31 or a time", repr(since), column="--since") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _recalibrated(
    console: Console,
    code: str,
    since: int | None,
    how: _How,
    settings: Settings,
    folder: Path,
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    """Read, fit, write the folder, and record the run and the draft."""
    from calibration.recalibration import recalibrate as run
    from calibration.recalibrations.gates import read_dif, read_gates
    from calibration.recalibrations.plans import make_plan
    from item_bank.store.schema import opened_site, organisation

    gates, dif = read_gates(how.gates), read_dif(how.dif) if how.dif else None
    with opened_site(console.database_url) as db:
        owner = organisation(db)
        bank = bank_parameters(db, code, owner)
        data = recorded(db, bank, owner, since)
        counts = dict(zip(data.matrix.item, data.matrix.item_counts().tolist(), strict=True))
        plan = make_plan(bank.items, bank.statuses, counts, how.free, how.strategy)
        with console.progress(settings.max_iterations, "fitting") as advance:
            found = run(
                data.matrix,
                bank.items,
                plan,
                settings,
                lambda _k, _log_l: advance(1),
                centred=bool(shown["centred"]),
                limit=how.limit if how.screen == "robust-z" else None,
            )
        judged = judgement(db, bank, found, data, gates, dif)
        found = with_remarks(found, (*judged.remarks, *data.remarks))
        figures = _written(folder, bank, found, data, judged, shown)
        draft = record(db, bank, found, figures, owner, judged, folder / "report.html")
    return {**figures, "draft": draft, "release": bank.release.number}


def judgement(
    db: Database,
    bank: BankParameters,
    found: Recalibration,
    data: Recorded,
    gates: Gates,
    dif: Mapping[str, str] | None,
) -> Judgement:
    """Hold the items against the gates, lengthen the chain of links, and fit the times."""
    from calibration.recalibrations.judgements import judge
    from item_bank.items.calibrations import scale_chain

    before = scale_chain(db, bank.release.release_id)
    return judge(found, bank.statuses, data.times, (bank.release.number, before), gates, dif)


def _written(
    folder: Path,
    bank: BankParameters,
    found: Recalibration,
    data: Recorded,
    judged: Judgement,
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    from calibration.fitting import Options
    from calibration.recalibration import changes

    code, number = bank.release.bank_code, bank.release.number
    return write_results(
        folder,
        found.calibration,
        Options(),
        {**shown, "way": found.plan.way, "bank": code, "release": number},
        data_sha256=data.matrix.sha256(),
        title=f"Recalibration of {code} from release {number}",
        labels={"status": list(bank.statuses), "language": list(bank.languages)},
        changed=changes(found),
        additions=Additions(judged.figures, judged.sections, judged.files),
    )


@dataclass(frozen=True, eq=False)
class BankParameters:
    """A bank's newest release, one row per item, or per item and language where they differ.

    Parameters
    ----------
    release
        The release in its first language.
    items
        The parameters; a row that holds for one language is named ``CODE@LANGUAGE``.
    codes, languages, statuses, revision_ids
        By row; language '' is every language.
    """

    release: ReleaseItems
    items: ItemParameters
    codes: tuple[str, ...]
    languages: tuple[str, ...]
    statuses: tuple[str, ...]
    revision_ids: tuple[str, ...]

    def row_names(self) -> dict[tuple[str, str], str]:
        """Name of the row of each item revision and language."""
        rows = zip(self.revision_ids, self.languages, self.items.item, strict=True)
        return {(revision, language): name for revision, language, name in rows}


def bank_parameters(
    db: Database, code: str, owner: str, number: int | None = None
) -> BankParameters:
    """Read a release of a bank in all its languages, the newest unless told."""
    from item_bank.items.releases import (
        bank_by_code,
        latest_release,
        release_by_number,
        release_items,
    )

    with db.read() as session:
        bank = bank_by_code(session, code, organisation_id=owner).id
        info = latest_release(session, bank)
        if number is not None:
            info = release_by_number(session, bank, number)
    if info is None:
        raise AnswerIsNo(f"bank {code} has no release: see `tarozu bank publish {code}`")
    return joined_languages([release_items(db, info.id, language) for language in info.languages])


def joined_languages(releases: list[ReleaseItems]) -> BankParameters:
    """Join the languages of a release; an item is split only where its parameters differ."""
    from calibration.bank_rows import joined_rows, same_parameters

    rows: list[tuple[str, str, ReleaseItems, int]] = []
    for code in releases[0].items.item:
        own = [(release, release.items.row(code)) for release in releases]
        if same_parameters([(release.items, row) for release, row in own]):
            rows.append((code, EVERY_LANGUAGE, *own[0]))
        else:
            rows += [(code, release.language, release, row) for release, row in own]
    return BankParameters(
        releases[0],
        joined_rows([(_row_name(c, lang), release.items, k) for c, lang, release, k in rows]),
        tuple(code for code, *_rest in rows),
        tuple(language for _code, language, *_rest in rows),
        tuple(release.statuses[k] for *_names, release, k in rows),
        tuple(release.revision_ids[k] for *_names, release, k in rows),
    )


def _row_name(code: str, language: str) -> str:
    return f"{code}@{language}" if language else code


@dataclass(frozen=True, eq=False)
class Recorded:
    """Recorded responses in the columns of a bank, and what must be said of them.

    ``times`` are person, row of the bank and seconds of each answer.
    """

    matrix: ResponseMatrix
    remarks: tuple[str, ...]
    times: tuple[tuple[str, str, float], ...] = ()


def recorded(db: Database, bank: BankParameters, owner: str, since: int | None) -> Recorded:
    """Read the first valid sitting of every person.

    Raises
    ------
    AnswerIsNo
        When there is none.
    """
    from item_bank.exams.responses import recorded_responses

    code = bank.release.bank_code
    found = recorded_responses(db, code, organisation_id=owner, since=since)
    return to_matrix((response for response in found if response.first), bank)


def to_matrix(responses: Iterable[RecordedResponse], bank: BankParameters) -> Recorded:
    """Put responses in the columns of a bank; those to items that it no longer has are counted.

    Raises
    ------
    AnswerIsNo
        When there is none.
    """
    from calibration.matrix import response_matrix_from_log

    names = bank.row_names()
    rows, times, outside = [], [], 0
    sittings: dict[str, bool] = {}
    for r in responses:
        name = names.get((r.revision_id, EVERY_LANGUAGE)) or names.get((r.revision_id, r.language))
        if name is None:
            outside += 1
            continue
        sittings[r.sitting_id] = r.simulated
        rows.append((r.person, name, r.score, r.sitting_id))
        times.append((r.person, name, r.seconds))
    if not rows:
        raise AnswerIsNo(f"no recorded sittings on bank {bank.release.bank_code}")
    matrix = response_matrix_from_log(rows, items=bank.items.item)
    simulated = sum(sittings.values())
    remarks = (
        f"{outside} responses to items, or wordings of items, that the release no longer has "
        "are left out."
        if outside
        else "",
        f"{simulated} of {len(sittings)} sittings are simulated." if simulated else "",
    )
    return Recorded(matrix, tuple(text for text in remarks if text), tuple(times))


def with_remarks(found: Recalibration, remarks: tuple[str, ...]) -> Recalibration:
    """Add what a reader must know."""
    calibration = replace(found.calibration, remarks=(*found.calibration.remarks, *remarks))
    return replace(found, calibration=calibration)


def record(
    db: Database,
    bank: BankParameters,
    found: Recalibration,
    figures: Mapping[str, Any],
    owner: str,
    judged: Judgement,
    report: Path,
) -> int | None:
    """Record the run with its report, and the draft when it converged; return its number."""
    from calibration.studies.cli import keep_report
    from item_bank.items.calibrations import record_run, save_draft

    code, release = bank.release.bank_code, bank.release.release_id
    run = record_run(
        db,
        organisation_id=owner,
        bank_code=code,
        base_release_id=release,
        data_hash=figures["data_sha256"],
        settings=dict(figures["settings"]),
        summary={name: value for name, value in figures.items() if name != "settings"},
        report_id=keep_report(db, owner, f"Recalibration of {code}", report),
    )
    if not figures["converged"]:
        return None
    return save_draft(
        db,
        organisation_id=owner,
        bank_code=code,
        source="calibration",
        run_id=run,
        base_release_id=release,
        rows=[draft_row(bank, found, name, run, judged) for name in found.plan.free],
    )


def draft_row(
    bank: BankParameters, found: Recalibration, name: str, run: str, judged: Judgement
) -> DraftRow:
    """Make the row of an item that was estimated, by this run."""
    from calibration.bank_rows import error_values, parameter_values
    from item_bank.items.calibrations import DraftRow

    calibration = found.calibration
    fit, items = calibration.item_fit, calibration.fit.items
    k = items.row(name)
    figures = {"infit": fit.infit[k], "outfit": fit.outfit[k], "rmsd": fit.rmsd[k]}
    return DraftRow(
        bank.revision_ids[k],
        bank.languages[k],
        items.model[k],
        parameter_values(items, k),
        error_values(calibration.errors, k, parameter_values(items, k)),
        {
            "n": int(fit.n[k]),
            "fit": {label: round(float(value), 4) for label, value in figures.items()},
            "notes": calibration.screening.notes(name),
            "run": run,
            **judged.about(name),
        },
    )
