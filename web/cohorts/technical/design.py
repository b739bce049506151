"""Chapters on what an exam is: purpose, design, bank and calibration, scale and cut scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.rules.stopping import StoppingRules
from item_bank.exams.cut_scores import EXAM_FILE
from item_bank.exams.exam_files import ExamPlan
from item_bank.items.releases import OPERATIONAL
from web.cohorts.technical.facts import Facts
from web.cohorts.technical.parts import Section, Table
from web.formats import day, duration, number, percent, signed
from web.language import NAMES, local_text

ESTIMATORS = {
    "eap": "the mean of the posterior distribution (EAP)",
    "map": "the mode of the posterior distribution (MAP)",
    "mle": "maximum likelihood",
    "wle": "Warm's weighted likelihood",
}
MODELS = {
    "rasch": "Rasch model",
    "1pl": "one-parameter logistic model",
    "2pl": "two-parameter logistic model",
    "3pl": "three-parameter logistic model",
    "4pl": "four-parameter logistic model",
    "grm": "graded response model",
    "pcm": "partial credit model",
    "gpcm": "generalised partial credit model",
    "nrm": "nominal response model",
}
CORRECTION = "correction"
STATUSES = ("In use", "Tried out")
STOPS = {
    "length": "after {:g} scored questions",
    "se": "once the standard error of ability is {:g} or less",
    "information": "once the accumulated information is {:g} or more",
    "best_information": "once no question left would give {:g} of information",
    "theta_change": "once an answer moves the estimate by less than {:g}",
}
EXPOSURE = {
    "none": "No further rule controls exposure.",
    "progressive": "Information and chance are mixed, less and less (progressive).",
    "proportional": "Items are drawn in proportion to their information, ever more sharply.",
    "priced": "Items that many would be given have a price in information.",
    "sympson_hetter": "Each item is let through with its own probability (Sympson and Hetter).",
    "eligibility": "At the start it is drawn which items a sitting may use (eligibility).",
}


def design_chapters(facts: Facts) -> Iterator[Section]:
    """Return the chapters on what the exam is."""
    yield _purpose(facts)
    yield _design(facts.frame.version.plan)
    yield _bank(facts)
    yield _calibration(facts)
    yield _scale(facts)


def _purpose(facts: Facts) -> Section:
    plan = facts.frame.version.plan
    passing = [level for level in plan.levels if level.passed]
    names = ", ".join(local_text(level.name) or level.code for level in passing)
    decides = f"It decides who reaches: {names}." if names else "It reports a score without a pass."
    return Section(
        "Purpose",
        paragraphs=(
            (
                f"{local_text(plan.title)} is an adaptive exam: each question is chosen by what "
                f"the answers before it tell, so that few questions measure well. {decides}"
            ),
            (
                "This report says how the exam is built, what its sittings came to in the period, "
                "how exact the scores are, and what is known against them."
            ),
        ),
        facts=(
            ("Languages", ", ".join(NAMES.get(code, code) for code in plan.languages)),
            ("Time limit", duration(plan.time_limit) if plan.time_limit else "none"),
            ("Results", _release_rule(plan)),
        ),
    )


def _release_rule(plan: ExamPlan) -> str:
    rules = plan.results
    if rules.release == "at_once":
        return "shown to the candidate when the sitting ends"
    return f"released after {rules.signatures} signature{'s' if rules.signatures > 1 else ''}"


def _design(plan: ExamPlan) -> Section:
    design = plan.design
    shares = ", ".join(f"{area} {percent(share)}" for area, share in design.content_shares)
    return Section(
        "Design",
        facts=(
            ("Choice of questions", _choice(plan)),
            ("Content", shares or "no shares of content areas are asked for"),
            ("Blueprint", _blueprint(plan)),
            ("Exposure", _exposure(plan)),
            ("Ability on the way", ESTIMATORS.get(design.interim, design.interim)),
            ("Ability for the result", _final(plan)),
            ("End", "; ".join(_stops(design.stop)) or "when the bank is exhausted"),
            ("Time runs out", _out_of_time(design.stop)),
            ("Questions tried out", _pretest(plan)),
        ),
    )


def _choice(plan: ExamPlan) -> str:
    design = plan.design
    drawn = f", drawn among the best {design.randomesque}" if design.randomesque > 1 else ""
    return f"{design.criterion.replace('_', ' ')}{drawn}; the first at ability {_start(plan)}"


def _start(plan: ExamPlan) -> str:
    design = plan.design
    if design.start_range:
        return f"{number(design.start_range[0], 1)} to {number(design.start_range[1], 1)}"
    expected = ", or what the roster expects of the person" if design.candidate_prior else ""
    return f"{number(design.start_theta, 1)}{expected}"


def _blueprint(plan: ExamPlan) -> str:
    blueprint = plan.design.blueprint
    if blueprint is None:
        return "none beside the shares"
    parts = [f"kept by {blueprint.method.replace('_', ' ')}"]
    if blueprint.sets is not None:
        least, most = blueprint.sets.min_items, blueprint.sets.max_items
        parts.append(f"questions on one stimulus together, {least} to {most} of each")
    return "; ".join(parts)


def _exposure(plan: ExamPlan) -> str:
    rules = plan.design.exposure
    said = EXPOSURE.get(rules.method, rules.method)
    if rules.max_rate is not None:
        said += f" Highest rate aimed at: {percent(rules.max_rate)}."
    if rules.ceiling is not None:
        said += f" No item is given beyond {percent(rules.ceiling)} of all sittings."
    return said


def _final(plan: ExamPlan) -> str:
    design = plan.design
    said = ESTIMATORS.get(design.final, design.final)
    if design.final in {"eap", "map"}:
        mean, sd = number(design.prior_mean, 1), number(design.prior_sd, 1)
        said += f", prior with mean {mean} and standard deviation {sd}, the same for everybody"
    return said


def _stops(stop: StoppingRules) -> Iterator[str]:
    for name, words in STOPS.items():
        value = getattr(stop, name)
        if value is not None:
            yield words.format(value)
    if stop.length is None and stop.min_items:
        yield f"never before {stop.min_items} questions"
    if stop.length is None and stop.max_items:
        yield f"at the latest after {stop.max_items}"


def _out_of_time(stop: StoppingRules) -> str:
    return f"with fewer questions than the minimum: {str(stop.out_of_time).replace('_', ' ')}"


def _pretest(plan: ExamPlan) -> str:
    count = plan.design.pretest.count
    return f"{count} in each sitting, which never count" if count else "none"


def _bank(facts: Facts) -> Section:
    release, version = facts.release, facts.frame.version
    models = Counter(zip(release.items.model, release.statuses, strict=True))
    areas = Counter(zip(release.items.content, release.statuses, strict=True))
    published = next(
        (one for one in facts.around.history.releases if one.number == version.release_number),
        None,
    )
    about = [("Bank and release", f"{version.plan.bank}, release {version.release_number}")]
    if published is not None:
        about.append(("Published", f"{day(published.published_at)} UTC"))
    about.append(("Content hash", release.content_hash[:16]))
    note = local_text(release.note)
    return Section(
        "Bank",
        paragraphs=((f"Of its parameters the release says: {note}",) if note else ()),
        facts=tuple(about),
        tables=(
            Table(("Model", *STATUSES), _counts(models, MODELS), (1, 2), "Items by model"),
            Table(("Content area", *STATUSES), _counts(areas, {}), (1, 2), "Items by content area"),
        ),
    )


def _counts(counts: Counter[tuple[str, str]], names: dict[str, str]) -> list[list[str]]:
    kinds = sorted({kind for kind, _ in counts})
    return [
        [
            names.get(kind, kind) or "none",
            str(counts[kind, OPERATIONAL]),
            str(sum(n for (k, status), n in counts.items() if k == kind and status != OPERATIONAL)),
        ]
        for kind in kinds
    ]


def _calibration(facts: Facts) -> Section:
    runs = facts.around.history.runs
    if not runs:
        return Section(
            "Calibration",
            paragraphs=(
                (
                    "No calibration on recorded answers is kept in this site: the parameters came "
                    "with the bank. Their source is not established here."
                ),
            ),
        )
    last = runs[0]
    told = {name: value for name, value in last.summary.items() if isinstance(value, int | float)}
    taken = f"release {last.released}" if last.released else "no release yet"
    return Section(
        "Calibration",
        paragraphs=(f"The newest of {len(runs)} calibration runs, of {day(last.at)} UTC.",),
        facts=(
            ("Converged", "yes" if last.converged else "no"),
            ("Taken up by", taken),
            *((name.replace("_", " "), f"{value:g}") for name, value in sorted(told.items())),
            ("Run", last.id),
        ),
    )


def _scale(facts: Facts) -> Section:
    plan = facts.frame.version.plan
    scale = plan.design.scale
    rows = [
        [local_text(level.name) or level.code, number(level.minimum, scale.decimals),
         "yes" if level.passed else "no"]
        for level in plan.levels
    ]  # fmt: skip
    return Section(
        "Scale and cut scores",
        paragraphs=(
            (
                f"The reported score is {scale.intercept:g} + {scale.slope:g} times the ability, "
                f"rounded half up to {scale.decimals} decimals and kept from {scale.minimum:g} to "
                f"{scale.maximum:g}. The level is decided on the rounded score."
            ),
            *_cut_source(facts),
        ),
        tables=(Table(("Level", "From", "Passed"), rows, (1,), "Levels"),),
    )


def stated_source(facts: Facts) -> str:
    """Return where the cut scores come from, in words; "" where nobody has said."""
    source, study = facts.around.cut_source, facts.around.standard
    text = str(source.get("text") or "")
    if study is not None:
        return f"standard-setting study {source.get('study')}, {study.title}. {text}".strip()
    if source.get("kind") == CORRECTION:
        return f"correction {source.get('number')} of results"
    return "" if text == EXAM_FILE else text


def _cut_source(facts: Facts) -> Iterator[str]:
    words, study = stated_source(facts), facts.around.standard
    yield (
        f"Source of the cut scores: {words}"
        if words
        else ("The exam file states no source of the cut scores.")
    )
    if study is None:
        return
    theta, se = study.result.get("theta"), study.result.get("se")
    cut = "" if theta is None else f" It put the cut at ability {signed(theta)}"
    error = "" if se is None else f", standard error {number(se, 2)}"
    approved = "" if study.approved_at is None else f" Approved {day(study.approved_at)} UTC."
    yield (
        f"Method: {study.method}, {study.panellists} panellists, {study.rounds} rounds."
        f"{cut}{error}{'.' if cut else ''}{approved}"
    )
