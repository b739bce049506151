"""The command ``tarozu calibrate leaks``: recorded sittings in, items that became easier out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table

if TYPE_CHECKING:
    from calibration.leaks.watch import Answers, Leaks
    from calibration.matrix import ResponseMatrix
    from calibration.recalibrations.cli import BankParameters
    from item_bank.exams.responses import RecordedResponse

FILE = click.Path(path_type=Path)
SHOWN = ("item", "n", "mean_residual", "trend_z", "cusum", "limit", "p", "alarm_at", "flag")


@dataclass(frozen=True)
class _Sitting:
    """Rows and scores of one sitting in order, and when each item was presented."""

    rows: list[int]
    scores: list[int]
    at: list[int]


@click.command(short_help="Find items that get easier while they are used.")
@click.option("--bank", "code", required=True, metavar="CODE", help="The bank.")
@click.option("--since", metavar="DATE", help="Only sittings from this day (UTC) or time on.")
@click.option(
    "--release", type=int, metavar="N", help="Hold answers against this release; the newest."
)
@click.option("--out", type=FILE, metavar="FILE", help="Where the table of all items goes (CSV).")
@click.option(
    "--false-alarms",
    type=float,
    default=0.01,
    show_default=True,
    help="Share of sound items that raise an alarm.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated limits.")
@click.pass_obj
def leaks(
    console: Console,
    /,
    *,
    code: str,
    since: str | None,
    release: int | None,
    out: Path | None,
    false_alarms: float,
    seed: int,
) -> None:
    """Watch the answers to each item of a bank in the order in which they were given."""
    from calibration.leaks.watch import leaks as watch
    from calibration.person_scores import check_target
    from calibration.recalibrations.cli import bank_parameters, microseconds, to_matrix
    from item_bank.exams.responses import recorded_responses
    from item_bank.store.schema import opened_site, organisation

    if not 0.0005 <= false_alarms <= 0.5:
        raise InputError("a share from 0.0005 to 0.5", false_alarms, column="--false-alarms")
    if seed < 0:
        raise InputError("a seed from 0", seed, column="--seed")
    if out is not None:
        check_target(out)
    start = microseconds(since)
    with opened_site(console.database_url) as db:
        owner = organisation(db)
        bank = bank_parameters(db, code, owner, release)
        found = recorded_responses(db, code, organisation_id=owner, since=start)
        responses = [response for response in found if response.first]
    data = to_matrix(responses, bank)
    for remark in data.remarks:
        console.note(remark)
    watched = watch(
        _answers(responses, bank, data.matrix),
        bank.items.item,
        false_alarms=false_alarms,
        seed=seed,
    )
    _say(console, watched, bank, out, false_alarms)


def _answers(
    responses: Iterable[RecordedResponse], bank: BankParameters, matrix: ResponseMatrix
) -> Answers:
    """Expectations of every answer to an operational item from those before it."""
    import numpy as np

    from calibration.leaks.watch import Answers, expectations
    from calibration.mml import Settings, fit

    sittings = _sittings(responses, bank)
    if not sittings:
        raise AnswerIsNo(f"no answers to operational items of bank {bank.release.bank_code}")
    persons = fit(matrix, bank.items.model, Settings(), fixed=bank.items)
    rows = [np.array(sitting.rows) for sitting in sittings]
    scores = [np.array(sitting.scores) for sitting in sittings]
    chances = expectations(
        rows,
        scores,
        bank.items,
        mean=float(persons.latent_mean[0]),
        sd=float(persons.latent_sd[0]),
    )
    every = np.vstack(list(chances))
    row, score = np.concatenate(rows), np.concatenate(scores)
    at = np.array([moment for sitting in sittings for moment in sitting.at])
    ordered = np.array([model != "nrm" for model in bank.items.model])[row]
    return Answers(row[ordered], score[ordered], every[ordered], at[ordered])


def _sittings(responses: Iterable[RecordedResponse], bank: BankParameters) -> list[_Sitting]:
    """Answers to operational items by sitting; preliminary parameters let nothing be expected."""
    names, rows = bank.row_names(), {name: k for k, name in enumerate(bank.items.item)}
    found: dict[str, _Sitting] = {}
    for r in responses:
        name = names.get((r.revision_id, "")) or names.get((r.revision_id, r.language))
        if name is None or bank.statuses[rows[name]] == "pretest":
            continue
        own = found.setdefault(r.sitting_id, _Sitting([], [], []))
        own.rows.append(rows[name])
        own.scores.append(r.score)
        own.at.append(r.presented_at)
    return list(found.values())


def _say(
    console: Console, found: Leaks, bank: BankParameters, out: Path | None, level: float
) -> None:
    from calibration.leaks.watch import FEWEST, HEADER, leak_rows, leak_text
    from calibration.tables import write_text

    times = [_time(moment) for moment in found.when.tolist()]
    if out is not None:
        write_text(out, leak_text(found, times))
    rows = [dict(zip(HEADER, row, strict=True)) for row in leak_rows(found, times)]
    flagged = [row for row in rows if row["flag"]]
    enough = int((found.n >= FEWEST).sum())
    console.note(
        f"{enough} of {len(rows)} items have {FEWEST} answers and were watched; "
        f"about {level * enough:.1f} false alarms are to be expected."
    )
    data: dict[str, Any] = {
        "bank": bank.release.bank_code,
        "release": bank.release.number,
        "n_items": len(rows),
        "n_watched": enough,
        "false_alarms": level,
        "flagged": flagged,
        "file": str(out) if out else None,
    }
    where = f": {out}" if out else ""
    shown = table(SHOWN, flagged) if flagged else f"No item raised an alarm{where}"
    console.emit(data, shown)


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1e6, UTC).strftime("%Y-%m-%d %H:%M") if moment else ""
