"""The command ``tarozu calibrate dif``: from a response file, or from recorded sittings.

What is computed is in the other files of this folder. Everything heavy is imported where it is
used, so that ``--help`` is quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.fits.cli import FILE, check_numbers, em_options
from calibration.studies.cli import check_bank, keep_study, record_option
from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from calibration.dif.study import Comparison
    from calibration.dif.ways import Options
    from calibration.matrix import ResponseMatrix
    from engine.items import ItemParameters
    from item_bank.exams.responses import RecordedResponse
    from item_bank.store.database import Database

LANGUAGE, COUNTRY = RECORDED_GROUPS = ("language", "country")
NOT_ASKED: tuple[object, ...] = (None, False, (), [])


@dataclass(frozen=True, eq=False)
class _Source:
    """What is studied: responses with groups, and what is known of their items."""

    matrix: ResponseMatrix
    parameters: ItemParameters | None
    pretest: frozenset[str]
    name: str
    remarks: tuple[str, ...] = ()


@click.command(short_help="Find items that groups of equal ability meet differently.")
@click.argument("responses", type=FILE, required=False)
@click.option("--bank", metavar="CODE", help="Recorded sittings of this bank, not a file.")
@click.option(
    "--group",
    required=True,
    metavar="COLUMN",
    help="Column with the group of each person; with --bank, language or country.",
)
@click.option("--out", required=True, type=FILE, metavar="FILE", help="Where the table goes (CSV).")
@click.option(
    "--method",
    default="mantel-haenszel",
    show_default=True,
    help="mantel-haenszel, logistic or lr.",
)
@click.option("--reference", metavar="VALUE", help="Reference group; the first in sorted order.")
@click.option("--report", type=FILE, metavar="FILE", help="The report (beside --out, as .html).")
@click.option("--cut", "cuts", multiple=True, type=float, metavar="X", help="Theta that passes.")
@click.option("--parameters", type=FILE, metavar="FILE", help="Parameters of the items, to hold.")
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@click.option("--model", default="auto", show_default=True, help="Of items without parameters.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of flags.")
@click.option("--no-purify", is_flag=True, help="Do not repeat without the flagged items.")
@click.option("--strata", type=int, default=0, help="Strata of theta; by the number of persons.")
@click.option("--since", metavar="DATE", help="With --bank: sittings from this day (UTC) on.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is not an item.")
@click.option("--routed", is_flag=True, help="An adaptive test chose what is missing.")
@click.option("--recode", is_flag=True, help="Shift scores 1..K to 0..K-1 and close gaps.")
@record_option
@em_options
@click.pass_obj
def dif(
    console: Console,
    /,
    *,
    responses: Path | None,
    bank: str | None,
    out: Path,
    report: Path | None,
    cuts: tuple[float, ...],
    record: str | None,
    **how: Any,
) -> None:
    """Find items that groups of equal ability meet differently.

    Reads RESPONSES, or with --bank the recorded sittings of a bank.
    """
    from calibration.person_scores import check_target

    if (responses is None) is (bank is None):
        found = "both" if bank else "neither"
        raise InputError("a file of responses, or --bank CODE", found)
    page = out.with_suffix(".html") if report is None else report
    rates_file = out.with_name(f"{out.stem}-pass-rates.csv") if cuts else None
    for target in (out, page, *([rates_file] if rates_file else [])):
        check_target(target)
    if page == out:
        raise InputError("another file than that of --out", page, column="--report")
    options = _options(how, cuts)
    if record is not None:
        check_bank(console, record)
    if bank is not None:
        source = _from_bank(console, bank, how)
    else:
        source = _from_file(Path(str(responses)), how)
    for remark in source.remarks:
        console.note(remark)
    options = replace(options, parameters=source.parameters, pretest=source.pretest)
    comparisons = _studied(console, source.matrix, options)
    settings = {**how, "bank": bank, "responses": responses, "cut": list(cuts)}
    _write(console, source, options, comparisons, cuts, (out, page, rates_file), settings)
    if record is not None:
        _keep(console, record, source, comparisons, settings)


def _keep(
    console: Console,
    code: str,
    source: _Source,
    comparisons: tuple[Comparison, ...],
    settings: Mapping[str, Any],
) -> None:
    from calibration.dif.outputs import dif_rows, header

    method = settings["method"]
    rows = dif_rows(comparisons, method, source.matrix.item)
    keep_study(
        console,
        code,
        "dif",
        [dict(zip(header(method), row, strict=True)) for row in rows],
        settings={k: v for k, v in settings.items() if v not in NOT_ASKED},
        summary={
            "n_persons": int(source.matrix.n_persons),
            "n_flagged": sum(len(one.flagged) for one in comparisons),
            "data": source.name,
        },
    )


def _options(how: Mapping[str, Any], cuts: Iterable[float]) -> Options:
    from calibration.dif.ways import METHODS, Options
    from calibration.fitting import MODELS

    for name, known in (("method", METHODS), ("model", MODELS)):
        if how[name] not in known:
            raise InputError(f"one of {', '.join(known)}", repr(how[name]), column=f"--{name}")
    check_numbers(how["quadrature"], how["tolerance"], how["max_iterations"])
    if not 0 < how["alpha"] < 1:
        raise InputError("a level between 0 and 1", how["alpha"], column="--alpha")
    if how["strata"] != 0 and not 2 <= how["strata"] <= 1000:
        raise InputError("2 to 1000 strata", how["strata"], column="--strata")
    for cut in cuts:
        if not -6 < cut < 6:
            raise InputError("a theta between -6 and 6", cut, column="--cut")
    return Options(
        method=how["method"],
        reference=how["reference"],
        alpha=how["alpha"],
        purify=not how["no_purify"],
        model=how["model"],
        strata=how["strata"],
        quadrature=how["quadrature"],
        tolerance=how["tolerance"],
        max_iterations=how["max_iterations"],
    )


def _from_file(responses: Path, how: Mapping[str, Any]) -> _Source:
    from calibration.parameter_file import read_parameter_file
    from calibration.response_file import read_responses
    from calibration.screening import check_scores, recode

    if how["since"] is not None:
        raise InputError("--bank with it", "a file of responses", column="--since")
    matrix = read_responses(
        responses, group=how["group"], ignore=how["ignore"], routed=how["routed"]
    )
    remarks: tuple[str, ...] = ()
    if matrix.routed and not how["routed"]:
        remarks = (f"{responses}: recorded adaptive sittings, taken as with --routed",)
    if how["recode"]:
        matrix, _done = recode(matrix)
    if how["parameters"] is None:
        check_scores(matrix, ("gpcm",) * matrix.n_items, file=responses)  # any number of scores
        return _Source(matrix, None, frozenset(), responses.name, remarks)
    file = read_parameter_file(how["parameters"], language=how["language"])
    statuses = file.labels.get("status", ())
    pretest = {
        name for name, status in zip(file.items.item, statuses, strict=False) if status == "pretest"
    }
    lacking = [name for name in matrix.item if name not in file.items.item]
    if lacking:
        found = f"none of {lacking[0]}"
        raise InputError("parameters of every item", found, file=how["parameters"], column="item")
    rows = [file.items.row(name) for name in matrix.item]
    given = {file.items.item[row]: int(file.items.n_categories[row]) for row in rows}
    models = [file.items.model[row] for row in rows]
    check_scores(matrix, models, n_categories=given, file=responses)
    return _Source(matrix, file.items, frozenset(pretest), responses.name, remarks)


def _from_bank(console: Console, code: str, how: Mapping[str, Any]) -> _Source:
    """Read the first valid sitting of every person, and the parameters of the newest release."""
    from calibration.recalibrations.cli import bank_parameters, microseconds, to_matrix
    from item_bank.exams.responses import recorded_responses
    from item_bank.store.schema import opened_site, organisation

    for name in ("parameters", "language"):
        if how[name] is not None:
            raise InputError("none with --bank (the release's own)", how[name], column=f"--{name}")
    for name in ("ignore", "routed", "recode"):
        if how[name]:
            raise InputError("a file of responses with it", "--bank", column=f"--{name}")
    if how["group"] not in RECORDED_GROUPS:
        expected = "language or country (what sittings and candidates have)"
        raise InputError(expected, repr(how["group"]), column="--group")
    with opened_site(console.database_url) as db:
        owner = organisation(db)
        bank = bank_parameters(db, code, owner)
        since = microseconds(how["since"])
        found = recorded_responses(db, code, organisation_id=owner, since=since)
        responses = [response for response in found if response.first]
        data = to_matrix(responses, bank)
        groups = _person_groups(db, owner, how["group"], responses)
    known = [groups.get(person, "") for person in data.matrix.person]
    matrix = replace(data.matrix, group=tuple(known)).persons_where(_told(known))
    unknown = known.count("")
    remark = f"{unknown} persons without a {how['group']} are left out." if unknown else ""
    rows = zip(bank.items.item, bank.statuses, strict=True)
    pretest = frozenset(name for name, status in rows if status == "pretest")
    remarks = tuple(text for text in (*data.remarks, remark) if text)
    return _Source(matrix, bank.items, pretest, f"bank {code}", remarks)


def _told(groups: list[str]) -> Any:
    import numpy as np

    return np.array([group != "" for group in groups], dtype=bool)


def _person_groups(
    db: Database, owner: str, group: str, responses: Iterable[RecordedResponse]
) -> dict[str, str]:
    from item_bank.exams.responses import candidate_countries

    if group == LANGUAGE:
        return {response.person: response.language for response in responses}
    countries = candidate_countries(db, organisation_id=owner)
    if not countries:
        expected = "candidates with a country (a column of the roster), or language"
        raise InputError(expected, "country for none", column="--group")
    return countries


def _studied(console: Console, matrix: ResponseMatrix, options: Options) -> tuple[Comparison, ...]:
    from calibration.dif.study import group_names, study

    _reference, others = group_names(matrix, options.reference)
    total = matrix.n_items * len(others) * (2 if options.purify else 1)
    with console.progress(total, "comparing groups") as advance:
        return study(matrix, options, advance)


def _write(
    console: Console,
    source: _Source,
    options: Options,
    comparisons: tuple[Comparison, ...],
    cuts: tuple[float, ...],
    targets: tuple[Path, Path, Path | None],
    settings: Mapping[str, Any],
) -> None:
    from calibration.dif import outputs
    from calibration.dif.pass_rates import pass_rates
    from calibration.dif.report import dif_report
    from calibration.tables import csv_text, write_text

    rates = [rate for c in comparisons if cuts for rate in pass_rates(c, options, cuts)]
    items = source.matrix.item
    html = dif_report(
        comparisons,
        rates,
        method=options.method,
        items=items,
        title=f"Differential item functioning in {source.name}",
        settings={
            **{name: value for name, value in settings.items() if value not in NOT_ASKED},
            "data_sha256": source.matrix.sha256(),
        },
    )
    out, page, rates_file = targets
    if rates_file is not None:
        write_text(rates_file, csv_text(outputs.PASS_RATES, outputs.pass_rate_rows(rates)))
    write_text(page, html)
    write_text(out, outputs.dif_text(comparisons, options.method, items))
    figures = outputs.figures(comparisons, options.method, rates)
    for remark in dict.fromkeys(text for c in comparisons for text in c.remarks):
        console.note(remark)
    console.emit({**figures, "file": str(out), "report": str(page)}, _shown(comparisons, out, page))
    if _nothing(comparisons):
        raise AnswerIsNo(f"no item could be compared: see notes in {out}")


def _nothing(comparisons: tuple[Comparison, ...]) -> bool:
    """Whether not a single test could be computed."""
    statistics = [result.first.statistic for c in comparisons for result in c.results]
    return all(value != value for value in statistics)  # noqa: PLR0124 - NaN


def _shown(comparisons: tuple[Comparison, ...], out: Path, page: Path) -> str:
    lines = []
    for c in comparisons:
        names = ", ".join(c.results[k].item for k in c.flagged)
        text = f"{len(c.flagged)} of {len(c.results)} items flagged" + (
            f": {names}" if names else ""
        )
        lines.append(f"{c.focal} against {c.reference}: {text}.")
    return "\n".join([*lines, str(out), str(page)])
