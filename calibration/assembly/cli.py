"""The commands ``tarozu assemble forms`` and ``tarozu assemble panels``.

They meet the database only for ``--exam`` without ``--parameters``, through the readers of
``tarozu simulate``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.errors import InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from calibration.assembly.outputs import Assembly
    from calibration.simulations.examinees import Examinees
    from engine.blueprints.blueprint import Blueprint
    from engine.items import ItemParameters
    from engine.multistage.plans import PanelPlan
    from engine.multistage.routing import Routing
    from engine.rules.designs import ExamDesign

FILE = click.Path(path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])
FORM_OPTIONS = {
    "length": "--length",
    "n_panels": "--forms",
    "most_shared": "--most-shared",
    "tolerance": "--tolerance",
    "targets": "--target",
    "stage": "--points",
    "blueprint": "--blueprint",
}
PANEL_OPTIONS = FORM_OPTIONS | {
    "n_panels": "--panels",
    "stage": "--stage",
    "routing": "--routing",
}
"""The option that says what the engine calls by its own name."""


@dataclass(frozen=True)
class _Given:
    """The bank and the rules that were named."""

    items: ItemParameters
    blueprint: Blueprint
    design: ExamDesign | None
    source: dict[str, Any]


@click.group(short_help="Assemble forms and panels.")
def assemble() -> None:
    """Assemble tests beforehand: parallel linear forms, and panels for multistage tests.

    Both are chosen by mixed integer programs under the same [blueprint] that an exam's shadow tests
    keep.
    """


def _sources(command: Command) -> Command:
    """Add the options that both commands begin with."""
    options = (
        click.option("--out", required=True, type=FILE, metavar="DIR", help="Folder to write to."),
        click.option("--parameters", type=FILE, metavar="FILE", help="Item parameters (CSV)."),
        click.option(
            "--exam", type=FILE, metavar="EXAM.toml", help="An exam file: its blueprint and bank."
        ),
        click.option(
            "--blueprint",
            type=FILE,
            metavar="FILE.toml",
            help="The table [blueprint] of an exam file, in a file of its own.",
        ),
        click.option("--language", metavar="CODE", help="Parameters of this language."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of what is random."),
        click.option(
            "--most-shared",
            type=int,
            default=0,
            show_default=True,
            metavar="N",
            help="Items that two of them may have in common.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@assemble.command()
@_sources
@click.option("--forms", "n", type=int, default=2, show_default=True, help="How many forms.")
@click.option("--length", type=int, metavar="N", help="Items of a form; with --exam, the exam's.")
@click.option(
    "--points",
    default="-1,0,1",
    show_default=True,
    metavar="THETA,...",
    help="Thetas at which the information of all forms is alike.",
)
@click.option("--target", metavar="X,...", help="Information at each of --points.")
@click.option(
    "--of-most",
    type=float,
    default=0.8,
    show_default=True,
    metavar="SHARE",
    help="Without --target: this share of the most that so many forms can have.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="How far from the target a form may be.",
)
@click.pass_context
def forms(ctx: click.Context, /, **given: Any) -> None:
    """Assemble parallel linear forms, drawn at random among all that keep blueprint and target.

    Writes forms.csv, information.csv, summary.json and report.html.
    """
    import time

    from calibration.assembly import outputs
    from calibration.assembly.report import forms_html
    from calibration.assembly.wanted import named_by
    from engine.blueprints.forms import assemble_forms

    console: Console = ctx.obj
    found = _given(console, ctx, given)
    length = _length(given["length"], found)
    started = time.perf_counter()
    with named_by(FORM_OPTIONS):
        band = _band(found, length, given)
        with console.progress(given["n"], "forms") as advance:
            made_forms = assemble_forms(
                found.items,
                found.blueprint,
                length=length,
                n_forms=given["n"],
                band=band,
                most_shared=given["most_shared"],
                seed=given["seed"],
                advance=advance,
            )
    settings = {name: given[name] for name in ("n", "points", "target", "tolerance", "most_shared")}
    settings |= {} if given["target"] else {"of_most": given["of_most"]}
    made = _assembly(found, length, given["seed"], settings, time.perf_counter() - started)
    data = outputs.forms_data(made, made_forms, band)
    files = {
        "forms.csv": outputs.forms_text(made, made_forms),
        "information.csv": outputs.forms_information_text(made, made_forms),
        "report.html": forms_html(made, made_forms, band),
    }
    text = f"{data['n_forms']} forms of {length} items, at most {data['most_shared']} in common."
    _written(console, given["out"], files, data, text)


@assemble.command()
@_sources
@click.option("--panels", "n", type=int, default=1, show_default=True, help="How many panels.")
@click.option(
    "--stage",
    multiple=True,
    metavar="LENGTH=THETA,...",
    help="A stage: items of each module, and each module's theta from easy to hard, such as "
    "10=-1,0,1; with / between several thetas of one module. Repeat for each stage.",
)
@click.option(
    "--width",
    type=float,
    default=0.5,
    show_default=True,
    metavar="X",
    help="Hold a module of one theta to its targets this far below and above it, too.",
)
@click.option(
    "--routes",
    default="adjacent",
    show_default=True,
    help="adjacent (to neighbouring modules of the next stage) or all.",
)
@click.option(
    "--routing",
    default="maximum_information",
    show_default=True,
    metavar="RULE",
    help="maximum_information, theta_cuts or number_correct.",
)
@click.option(
    "--target",
    multiple=True,
    metavar="MODULE=X",
    help="Information of a module at its thetas, such as 2-3=2.1/2.5/2.2; else about the most "
    "that all panels can have.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="How far from its target a module may be.",
)
@click.option("--simulate", type=int, metavar="N", help="Simulate N examinees as well.")
@click.option("--theta", metavar="SPEC", help='Of whom: "normal(0,1)" (default), uniform or grid.')
@click.option("--estimate", default="eap", show_default=True, help="eap, map, mle or wle.")
@click.option("--final", metavar="ESTIMATOR", help="Final estimator (that of --estimate).")
@click.option("--cut", multiple=True, type=float, metavar="THETA", help="Cut between levels.")
@click.pass_context
def panels(ctx: click.Context, /, **given: Any) -> None:
    """Assemble parallel panels of modules for a multistage test.

    Writes panels.csv, information.csv, routing.csv (for rules with cuts), summary.json and
    report.html; with --simulate also what ``tarozu simulate`` writes, into the folder simulation.
    """
    import time

    from calibration.assembly import outputs
    from calibration.assembly.report import panels_html
    from calibration.assembly.wanted import named_by
    from engine.multistage.assembly import assemble_panels
    from engine.multistage.routing import routing

    console: Console = ctx.obj
    found, plan = _panel_inputs(console, ctx, given)
    sitting = _sitting(found, given)
    started = time.perf_counter()
    with named_by(PANEL_OPTIONS), console.progress(given["n"], "panels") as advance:
        order = _order(found, plan, given)
        made_panels = assemble_panels(
            found.items, found.blueprint, plan, order, seed=given["seed"], advance=advance
        )
        routes = routing(found.items, made_panels, given["routing"])
    names = ("n", "stage", "width", "routes", "routing", "target", "tolerance", "most_shared")
    settings = {name: given[name] for name in names}
    made = _assembly(found, plan.length, given["seed"], settings, time.perf_counter() - started)
    data = outputs.panels_data(made, routes)
    files = {
        "panels.csv": outputs.panels_text(made, made_panels),
        "information.csv": outputs.panels_information_text(made, made_panels),
        "report.html": panels_html(made, routes),
    }
    if routes.cuts:
        files["routing.csv"] = outputs.routing_text(routes)
    text = (
        f"{data['n_panels']} panels of {len(plan.modules)} modules, {plan.length} items to an "
        f"examinee, at most {data['most_shared']} in common."
    )
    if sitting is not None:
        more, simulated = _simulated(console, routes, found, sitting, given["seed"])
        files |= more
        data["simulation"] = {name: simulated[name] for name in SIMULATED}
        text += f"\nRMSE {simulated['rmse']:.3f}, highest exposure {simulated['max_exposure']:.1%}."
    for panel in made_panels.stopped:
        console.note(f"The search for panel {panel + 1} ended at a limit; it keeps all asked for.")
    _written(console, given["out"], files, data, text)


SIMULATED = ("n", "bias", "rmse", "mean_se", "coverage_95", "max_exposure", "overlap")
OF_EXAM = ("estimate", "final", "cut")


def _panel_inputs(
    console: Console, ctx: click.Context, given: dict[str, Any]
) -> tuple[_Given, PanelPlan]:
    from calibration.assembly.wanted import read_stages
    from calibration.simulations.cli import refuse_option
    from calibration.simulations.words import one_of
    from engine.multistage.routing import RULES

    for name in OF_EXAM if given["exam"] is not None else ():
        refuse_option(ctx, name, "no rules beside --exam, which brings its own")
    for name in (*OF_EXAM, "theta") if given["simulate"] is None else ():
        refuse_option(ctx, name, "--simulate N beside it")
    one_of("--routing", given["routing"], RULES)
    plan = read_stages(given["stage"], given["routes"], given["width"])
    found = _given(console, ctx, given)
    longest = None if found.design is None else found.design.scored_length
    if longest and plan.length != longest:
        expected = f"stages that add up to the exam's {longest} items"
        raise InputError(expected, plan.length, column="--stage")
    return found, plan


def _given(console: Console, ctx: click.Context, given: dict[str, Any]) -> _Given:
    """Read the bank, and the blueprint that the exam or a file of its own brings."""
    from calibration.assembly.wanted import read_blueprint, without
    from calibration.parameter_file import read_parameter_file
    from calibration.simulations import cli
    from calibration.simulations.outputs import file_sha256
    from engine.blueprints.blueprint import Blueprint

    if given["parameters"] is None and given["exam"] is None:
        raise InputError("--parameters FILE or --exam EXAM.toml", "neither")
    if given["exam"] is not None:
        cli.refuse_option(ctx, "blueprint", "no blueprint beside --exam, which brings its own")
    source: dict[str, Any] = {}
    plan = None if given["exam"] is None else cli.exam_plan(given["exam"])
    if given["parameters"] is not None:
        table = read_parameter_file(given["parameters"], language=given["language"])
        bank = cli.bank_of(table.items, table.labels.get("status", ()), {})
        source["parameters"] = str(given["parameters"])
        source["parameters_sha256"] = file_sha256(given["parameters"])
    else:
        assert plan is not None, "one of the two was given"
        sources = cli.Sources(None, given["exam"], None, given["language"])
        bank, release = cli.release_bank(console, plan, sources)
        source |= release
    blueprint = Blueprint()
    if plan is not None:
        source |= {"exam": plan.code, "exam_sha256": file_sha256(given["exam"])}
        blueprint = plan.design.blueprint or blueprint
    elif given["blueprint"] is not None:
        blueprint = read_blueprint(given["blueprint"])
        source["blueprint"] = str(given["blueprint"])
        source["blueprint_sha256"] = file_sha256(given["blueprint"])
    blueprint = without(blueprint, bank.items, bank.pretest)
    return _Given(bank.items, blueprint, plan.design if plan else None, source)


def _length(asked: int | None, found: _Given) -> int:
    """Items of a form, by the option or by the exam."""
    of_exam = 0 if found.design is None else found.design.scored_length
    if asked is None and not of_exam:
        raise InputError("--length N, or an exam of a fixed length", "neither", column="--length")
    if asked is not None and of_exam and asked != of_exam:
        raise InputError(f"the exam's {of_exam} items", asked, column="--length")
    if asked is not None and asked < 1:
        raise InputError("at least 1 item", asked, column="--length")
    return asked or of_exam


def _band(found: _Given, length: int, given: dict[str, Any]) -> Any:
    """What the information of every form keeps within."""
    import numpy as np

    from calibration.assembly.wanted import read_thetas
    from engine.blueprints.forms import Band
    from engine.multistage.assembly import Order, most_information
    from engine.multistage.plans import PanelPlan, Stage

    points = read_thetas(given["points"], "--points")
    order = Order(given["n"], None, given["tolerance"], given["most_shared"])
    if given["target"] is not None:
        aim = np.array(read_thetas(given["target"], "--target"))
        if len(aim) != len(points) or (aim <= 0).any():
            expected = f"information above 0 at {len(points)} points"
            raise InputError(expected, repr(given["target"]), column="--target")
    else:
        if not 0.0 < given["of_most"] <= 1.0:
            expected = "a share above 0 and up to 1"
            raise InputError(expected, f"{given['of_most']:g}", column="--of-most")
        plan = PanelPlan((Stage(length, (points,)),))
        most = most_information(found.items, found.blueprint, plan, order)[0]
        aim = given["of_most"] * most
    share = given["tolerance"]
    return Band(np.array(points), aim * (1 - share), aim * (1 + share))


def _order(found: _Given, plan: PanelPlan, given: dict[str, Any]) -> Any:
    """How many panels, with targets where some are given: the others as the bank allows."""
    from dataclasses import replace

    from calibration.assembly.wanted import read_targets
    from engine.multistage.assembly import Order, most_information

    order = Order(given["n"], None, given["tolerance"], given["most_shared"])
    own = read_targets(given["target"], plan)
    if not own:
        return order
    most = []
    if len(own) < len(plan.modules):
        share = 1.0 - given["tolerance"]
        possible = most_information(found.items, found.blueprint, plan, order)
        most = [tuple((share * of).tolist()) for of in possible]
    targets = tuple(own[k] if k in own else most[k] for k in range(len(plan.modules)))
    return replace(order, targets=targets)


def _assembly(
    found: _Given, length: int, seed: int, settings: dict[str, Any], seconds: float
) -> Assembly:
    from calibration.assembly.outputs import Assembly

    settings = {name: value for name, value in settings.items() if value not in (None, ())}
    return Assembly(found.items, found.blueprint, length, seed, found.source, settings, seconds)


def _sitting(found: _Given, given: dict[str, Any]) -> tuple[Examinees, ExamDesign] | None:
    """Who sits a simulation, by which estimators; None where none is asked for."""
    from calibration.assembly.wanted import estimators
    from calibration.simulations.examinees import drawn_examinees

    n = given["simulate"]
    if n is None:
        return None
    if n < 1:
        raise InputError("at least 1 examinee", n, column="--simulate")
    people = drawn_examinees(given["theta"] or "normal(0,1)", n, given["seed"])
    rules = found.design or estimators(given["estimate"], given["final"], given["cut"])
    return people, rules


def _simulated(
    console: Console,
    routes: Routing,
    found: _Given,
    sitting: tuple[Examinees, ExamDesign],
    seed: int,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Send examinees through the panels; the files of ``tarozu simulate``, and the summary."""
    import time

    import numpy as np

    from calibration.assembly.outputs import paths_text
    from calibration.simulations import outputs
    from calibration.simulations.bank_section import diagnosed
    from calibration.simulations.report import report_html
    from calibration.simulations.runs import Run
    from engine.multistage.panel_simulation import panel_design, simulate_panels
    from engine.simulation.summary import summarise

    people, rules = sitting
    assert people.theta is not None, "drawn examinees have true thetas"
    design = panel_design(rules, found.blueprint, routes.panels.plan)
    started = time.perf_counter()
    with console.progress(len(people.person), "examinees") as advance:
        sat = simulate_panels(
            found.items, routes, design, theta=people.theta, seed=seed, advance=advance
        )
    seconds = time.perf_counter() - started
    nobody = np.zeros(len(found.items), dtype=np.bool_)
    source = found.source | {"compared_with": "the true theta", "routing": routes.rule}
    run = Run(
        sat.simulated,
        summarise(sat.simulated),
        people.person,
        source,
        seconds,
        nobody,
        bank=diagnosed(sat.simulated, pretest=nobody),
    )
    data = outputs.summary_data(run)
    files = {
        "trajectory.csv": outputs.trajectory_text(run),
        "persons.csv": outputs.persons_text(run),
        "items.csv": outputs.items_text(run),
        "paths.csv": paths_text(people.person, sat),
        "summary.json": outputs.json_text(data),
        "report.html": report_html(run, "Simulated multistage test"),
    }
    return {f"simulation/{name}": text for name, text in files.items()}, data


def _written(
    console: Console, out: Path, files: dict[str, str], data: dict[str, Any], text: str
) -> None:
    from calibration.simulations.outputs import json_text, write_folder

    write_folder(out, files | {"summary.json": json_text(data)})
    console.emit(data, f"{text}\n{out / 'report.html'}")
