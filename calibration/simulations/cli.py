"""The command ``tarozu simulate``.

The one file of this folder that meets the database, and only for ``--exam`` without
``--parameters``: the items are then those of the release that the exam names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from calibration.simulations.examinees import Examinees
    from engine.arrays import Bools
    from engine.items import ItemParameters
    from engine.rules.designs import ExamDesign
    from engine.simulation.run import Simulated
    from item_bank.exams.exam_files import ExamPlan

FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Sources:
    """Where everything comes from, as named on the command line."""

    parameters: Path | None
    exam: Path | None
    responses: Path | None
    language: str | None


@dataclass(frozen=True)
class Bank:
    """The items, which of them are tried out and never scored, and their other languages."""

    items: ItemParameters
    pretest: Bools
    languages: Mapping[str, ItemParameters] = field(default_factory=dict)


@click.command(short_help="Simulate an adaptive test.")
@click.option("--out", required=True, type=FILE, metavar="DIR", help="Folder for the results.")
@click.option("--parameters", type=FILE, metavar="FILE", help="Item parameters (CSV).")
@click.option("--exam", type=FILE, metavar="EXAM.toml", help="An exam file: its rules and bank.")
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@click.option("--responses", type=FILE, metavar="FILE", help="Recorded scores to use.")
@click.option("--n", type=int, help="Number of examinees (1000).")
@click.option("--theta", metavar="SPEC", help='"normal(0,1)" (default), "uniform(-3,3)" or grid.')
@click.option(
    "--select",
    default="max_information",
    show_default=True,
    metavar="CRITERION",
    help="max_information, interval_information, urry, best_theta, mlwi, mpwi, kl, klp, gdi, gdip, "
    "mei, mepv, a_stratified or random.",
)
@click.option(
    "--information-interval",
    type=float,
    default=0.5,
    show_default=True,
    metavar="X",
    help="Half-width around theta of interval_information.",
)
@click.option(
    "--a-strata",
    type=int,
    default=4,
    show_default=True,
    metavar="N",
    help="Strata of discrimination of a_stratified.",
)
@click.option(
    "--block-by-difficulty",
    is_flag=True,
    help="Let each stratum of a_stratified cover all difficulties.",
)
@click.option("--estimate", default="eap", show_default=True, help="eap, map, mle or wle.")
@click.option("--final", metavar="ESTIMATOR", help="Final estimator (that of --estimate).")
@click.option(
    "--start-theta",
    type=float,
    default=0.0,
    show_default=True,
    help="Theta that selects the first item.",
)
@click.option("--start-range", metavar="LOW,HIGH", help="Draw that theta from a range instead.")
@click.option(
    "--stop",
    multiple=True,
    metavar="RULE",
    help="length=N, se=X, information=X, best-information=X, theta-change=X, or on the side of "
    "every --cut: confidence=C, sprt=DELTA or glr=DELTA. The first to hold stops.",
)
@click.option("--cut", multiple=True, type=float, metavar="THETA", help="Cut between levels.")
@click.option("--error-rates", metavar="ALPHA,BETA", help="Of sprt and glr (0.05,0.05).")
@click.option("--min-items", type=int, default=0, help="No rule stops before so many items.")
@click.option("--max-items", type=int, help="No more items than this.")
@click.option("--randomesque", type=int, default=1, show_default=True, help="Draw among K best.")
@click.option("--content", multiple=True, metavar="AREA=SHARE", help="Content shares.")
@click.option(
    "--exposure",
    default="none",
    show_default=True,
    metavar="METHOD",
    help="none, progressive, restricted, proportional, priced, sympson-hetter or eligibility.",
)
@click.option("--max-exposure", type=float, metavar="R", help="Highest exposure rate.")
@click.option("--exposure-strata", metavar="CUTS", help="Control by strata of theta (-1,0,1).")
@click.option(
    "--acceleration",
    type=float,
    default=1.0,
    show_default=True,
    metavar="S",
    help="How late progressive and proportional turn to information.",
)
@click.option("--pretest", type=int, default=0, metavar="N", help="Try out N unscored items.")
@click.option("--pretest-positions", metavar="P", help="Where: 3,7,12, or drawn from 3-20.")
@click.option(
    "--pretest-choice", default="even", show_default=True, help="Which: even or d_optimal."
)
@click.option(
    "--grid", metavar="LOW,HIGH,N", help="Points of EAP (-6,6,61) and of --select (-4,4,33)."
)
@click.option("--prior-mean", type=float, default=0.0, show_default=True, help="Mean of the prior.")
@click.option(
    "--prior-sd",
    type=float,
    default=1.0,
    show_default=True,
    help="Standard deviation of the prior.",
)
@click.option(
    "--target-se", type=float, metavar="X", help="Hold the bank against this standard error."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler.")
@click.pass_context
def simulate(ctx: click.Context, /, **given: Any) -> None:
    """Simulate an adaptive test and write what happened, item by item.

    The rules come from the options, or with --exam from an exam file; examinees are drawn from
    --theta, or answer as recorded in --responses.
    """
    console: Console = ctx.obj
    _check(ctx, given)
    sources = Sources(*(given[name] for name in ("parameters", "exam", "responses", "language")))
    bank, design, source = _bank_and_rules(console, sources, given)
    examinees = _examinees(sources, bank.items, given)
    source |= _about(sources, examinees)
    if given["exposure"] in {"priced", "sympson-hetter"}:
        found = _searched(console, bank, design, given)
        design, source[given["exposure"].replace("-", "_")] = found
    _run(console, bank, design, examinees, source, given)


def _check(ctx: click.Context, given: dict[str, Any]) -> None:
    """Refuse options that contradict each other or do nothing here."""
    from calibration.simulations.rules import RULES

    if given["parameters"] is None and given["exam"] is None:
        raise InputError("--parameters FILE or --exam EXAM.toml", "neither")
    for name in RULES if given["exam"] is not None else ():
        refuse_option(ctx, name, "no rules beside --exam, which brings its own")
    if given["target_se"] is not None and not 0 < given["target_se"] < float("inf"):
        expected = "a standard error above 0"
        raise InputError(expected, f"{given['target_se']:g}", column="--target-se")
    for name in ("n", "theta") if given["responses"] is not None else ():
        refuse_option(ctx, name, "no drawn examinees beside --responses")


def refuse_option(ctx: click.Context, name: str, expected: str) -> None:
    """Refuse an option that was given."""
    if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
        option = f"--{name.replace('_', '-')}"
        raise InputError(expected, option, column=option)


def _bank_and_rules(
    console: Console, sources: Sources, given: dict[str, Any]
) -> tuple[Bank, ExamDesign, dict[str, Any]]:
    from calibration.parameter_file import read_parameter_file
    from calibration.simulations.outputs import file_sha256
    from calibration.simulations.rules import RULES, Options, design_from_options, named_by_option
    from engine.rules.designs import check_design

    source: dict[str, Any] = {}
    plan = None if sources.exam is None else exam_plan(sources.exam)
    if sources.parameters is not None:
        table = read_parameter_file(sources.parameters, language=sources.language)
        languages = _in_file(sources.parameters) if sources.language is not None else {}
        bank = bank_of(table.items, table.labels.get("status", ()), languages)
        source["parameters"] = str(sources.parameters)
        source["parameters_sha256"] = file_sha256(sources.parameters)
    else:
        assert plan is not None
        bank, release = release_bank(console, plan, sources)
        source |= release
    if plan is None or sources.exam is None:
        design = design_from_options(Options(**{name: given[name] for name in RULES}))
        with named_by_option():
            check_design(design, bank.items, bank.pretest)
        return bank, design, source
    _check_exam(sources.exam, plan, bank)
    return (
        bank,
        plan.design,
        source | {"exam": plan.code, "exam_sha256": file_sha256(sources.exam)},
    )


def _in_file(path: Path) -> dict[str, ItemParameters]:
    from calibration.parameter_file import languages_in, read_parameters

    return {name: read_parameters(path, language=name) for name in languages_in(path)}


def bank_of(
    items: ItemParameters, statuses: Sequence[str], languages: Mapping[str, ItemParameters]
) -> Bank:
    """Items with the status ``pretest`` are not scored, as in an exam."""
    import numpy as np

    tried = [status == "pretest" for status in statuses] or [False] * len(items)
    return Bank(items, np.array(tried, dtype=np.bool_), languages)


def _searched(
    console: Console, bank: Bank, design: ExamDesign, given: dict[str, Any]
) -> tuple[ExamDesign, dict[str, Any]]:
    """Find parameters of items with other examinees than those of the simulation."""
    from calibration.simulations.examinees import drawn_examinees
    from calibration.simulations.exposure_options import (
        PARAMETER_EXAMINEES,
        ExposureOptions,
        rounds_of,
        with_parameters,
    )
    from calibration.simulations.rules import named_by_option

    names = ("exposure", "max_exposure", "exposure_strata", "acceleration")
    options = ExposureOptions(**{name: given[name] for name in names})
    n, seed = max(given["n"] or 0, PARAMETER_EXAMINEES), given["seed"] + 1
    people = drawn_examinees(given["theta"] or "normal(0,1)", n, seed)
    assert people.theta is not None, "drawn examinees have true thetas"
    with console.progress(rounds_of(options), "rounds") as advance, named_by_option():
        design, about = with_parameters(
            design,
            bank.items,
            options,
            theta=people.theta,
            seed=seed,
            pretest=bank.pretest,
            advance=advance,
        )
    if not about["converged"]:
        console.note(f"{given['exposure']}: after all rounds a rate was still above the target.")
    return design, about


def _check_exam(exam: Path, plan: ExamPlan, bank: Bank) -> None:
    from engine.rules.designs import check_design

    try:
        check_design(plan.design, bank.items, bank.pretest)
    except InputError as error:
        raise InputError(error.expected, error.found, file=exam, column=error.column) from error


def exam_plan(exam: Path) -> ExamPlan:
    """Read an exam file."""
    from item_bank.exams.exam_files import read_plan

    try:
        text = exam.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError("a readable file", error.strerror, file=exam) from error
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}"
        raise InputError("text in UTF-8", found, file=exam) from error
    return read_plan(text, file=str(exam))


def release_bank(console: Console, plan: ExamPlan, sources: Sources) -> tuple[Bank, dict[str, Any]]:
    """Items of the release that an exam names, and what to say of them."""
    from item_bank.items.releases import in_every_language, release_parameters
    from item_bank.store.schema import opened_site, organisation

    try:
        with opened_site(console.database_url) as db:
            release = release_parameters(
                db,
                plan.bank,
                organisation_id=organisation(db),
                number=plan.release,
                language=sources.language,
            )
            languages = in_every_language(db, release.release_id)
    except InputError as error:
        raise InputError(
            error.expected, error.found, file=sources.exam, column=error.column or "bank"
        ) from error
    about = {
        "bank": release.bank_code,
        "release": release.number,
        "release_hash": release.content_hash,
        "language": release.language,
    }
    banks = {name: one.items for name, one in languages.items()}
    return bank_of(release.items, release.statuses, banks), about


def _examinees(sources: Sources, items: ItemParameters, given: dict[str, Any]) -> Examinees:
    from calibration.response_file import read_responses
    from calibration.simulations.examinees import drawn_examinees, recorded_examinees

    if sources.responses is None:
        n = 1000 if given["n"] is None else given["n"]
        return drawn_examinees(given["theta"] or "normal(0,1)", n, given["seed"])
    try:
        return recorded_examinees(read_responses(sources.responses), items)
    except InputError as error:
        raise InputError(
            error.expected,
            error.found,
            file=error.file or sources.responses,
            line=error.line,
            column=error.column,
        ) from error


def _about(sources: Sources, examinees: Examinees) -> dict[str, Any]:
    """What the summary says about the examinees."""
    from calibration.simulations.outputs import file_sha256

    if sources.responses is None:
        return {"compared_with": "the true theta"}
    about: dict[str, Any] = {
        "responses": str(sources.responses),
        "responses_sha256": file_sha256(sources.responses),
        "compared_with": "the estimate from all recorded answers",
    }
    if examinees.unused:
        names = ", ".join(examinees.unused[:5]) + (", ..." if len(examinees.unused) > 5 else "")
        text = f"Answers to {len(examinees.unused)} items without parameters were left out: {names}"
        about["notes"] = [f"{text}."]
    return about


def _run(
    console: Console,
    bank: Bank,
    design: ExamDesign,
    examinees: Examinees,
    source: dict[str, Any],
    given: dict[str, Any],
) -> None:
    """Simulate, summarise, write."""
    import time

    from calibration.simulations import outputs
    from calibration.simulations.bank_section import diagnosed, diagnosed_by_language
    from calibration.simulations.exposure_options import exposure_table
    from calibration.simulations.report import report_html
    from calibration.simulations.runs import Run
    from engine.simulation.summary import summarise

    n = len(examinees.person)
    for text in source.get("notes", ()):
        console.note(text)
    if not any((design.stop.length, design.stop.max_items, design.stop.se)):
        console.note("No rule bounds the length: a test may go through the whole bank.")
    started = time.perf_counter()
    with console.progress(n, "examinees") as advance:
        simulated = _simulated(console, bank, design, examinees, given, advance)
    seconds = time.perf_counter() - started
    summary = summarise(simulated, _target(bank.items, design, examinees))
    aim = {"pretest": bank.pretest, "se_target": given["target_se"]}
    run = Run(
        simulated,
        summary,
        examinees.person,
        source,
        seconds,
        bank.pretest,
        bank=diagnosed(simulated, **aim),
        languages=diagnosed_by_language(simulated, bank.languages, **aim),
    )
    data = outputs.summary_data(run)
    files = {
        "trajectory.csv": outputs.trajectory_text(run),
        "persons.csv": outputs.persons_text(run),
        "items.csv": outputs.items_text(run),
        "summary.json": outputs.json_text(data),
        "report.html": report_html(run),
    }
    if {"priced", "sympson_hetter"} & set(source):
        files["exposure.toml"] = exposure_table(design.exposure)
    outputs.write_folder(given["out"], files)
    console.emit(data, _spoken(data, given["out"]))


def _simulated(
    console: Console,
    bank: Bank,
    design: ExamDesign,
    examinees: Examinees,
    given: dict[str, Any],
    advance: Callable[[int], object],
) -> Simulated:
    """Simulate here, or on the cluster of ``--scheduler``; the record is the same."""
    from calibration.simulations.cluster import simulate_on_cluster
    from engine.simulation.parts import is_divisible
    from engine.simulation.run import Surroundings, simulate

    seed, address = given["seed"], given["scheduler"]
    if address is not None:
        if not is_divisible(design):
            console.note("Each examinee sees what others were given: one worker does it all.")
        return simulate_on_cluster(
            address,
            bank.items,
            design,
            examinees,
            seed=seed,
            pretest=bank.pretest,
            advance=advance,
        )
    return simulate(
        bank.items,
        design,
        theta=examinees.theta,
        scores=examinees.scores,
        observed=examinees.observed,
        seed=seed,
        surroundings=Surroundings(pretest=bank.pretest),
        advance=advance,
    )


def _target(items: ItemParameters, design: ExamDesign, examinees: Examinees) -> Any:
    """Estimate from all recorded answers, for comparison; None with true thetas."""
    from engine.ability.estimates import matrix_scores

    if examinees.scores is None or examinees.observed is None:
        return None
    theta, _ = matrix_scores(
        design.final,
        examinees.scores,
        examinees.observed,
        items,
        prior=design.prior,
        grid=design.grid,
    )
    return theta


def _spoken(data: dict[str, Any], folder: Path) -> str:
    known = {name: "unknown" if data[name] is None else f"{data[name]:.3f}" for name in _SPOKEN}
    return (
        f"{data['n']:,} examinees, {data['mean_length']:.1f} items on average; "
        f"bias {known['bias']}, RMSE {known['rmse']}, mean SE {known['mean_se']}.\n"
        f"{folder / 'report.html'}"
    )


_SPOKEN = ("bias", "rmse", "mean_se")
