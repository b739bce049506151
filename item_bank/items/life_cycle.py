"""The life cycle of an item: its states, who may move it, and what each move asks for. Pure.

Called by `authoring`, which reads an item's `Standing` from the database and keeps what was done.
A hold lies over the other states: a held item keeps its state beneath, and goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import AnswerIsNo, InputError


class State(StrEnum):
    """Where an item is in its life."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    TRANSLATED = "translated"
    PRETEST = "pretest"
    OPERATIONAL = "operational"
    HELD = "held"
    RETIRED = "retired"


IN_RELEASES = (State.PRETEST, State.OPERATIONAL)
UNRELEASED_TEXT = (State.REVIEWED, State.TRANSLATED)
"""States that say something of the text, so that a new text ends them."""

AUTHOR, EXAMINER = "author", "examiner"
PSYCHOMETRICIAN, ADMINISTRATOR = "psychometrician", "administrator"
OPERATOR = "operator"
"""Who works on the host's command line and names no account; may do whatever some role may."""
IMPORT = "import"
"""Stands for a person where an import brought a text as signed off."""

READERS = frozenset({AUTHOR, EXAMINER, PSYCHOMETRICIAN, ADMINISTRATOR})
WRITERS = frozenset({AUTHOR, PSYCHOMETRICIAN, ADMINISTRATOR})
BANK_KEEPERS = frozenset({PSYCHOMETRICIAN, ADMINISTRATOR})
HOLDERS = frozenset({EXAMINER, PSYCHOMETRICIAN, ADMINISTRATOR})
JUDGES = frozenset({PSYCHOMETRICIAN})


@dataclass(frozen=True)
class Actor:
    """Who acts: an account of the staff by id and role, or the operator (no id)."""

    role: str = OPERATOR
    id: str | None = None


@dataclass(frozen=True)
class Standing:
    """All of an item that its next move depends on.

    Parameters
    ----------
    state
        Beneath a hold, if there is one.
    review_required
        Whether the bank demands sign-offs.
    demanded
        Languages that the bank demands.
    has_text
        False for an item of parameters alone, which nobody can read.
    texts
        Languages in which the newest revision, and its stimulus, have a text.
    editor
        Who made the newest revision, where that is known.
    reviewers, signed
        Who signed its review off, and which languages are signed off.
    has_parameters
        Whether the newest revision has parameters, released or in the open draft.
    """

    code: str
    state: State
    held: bool = False
    review_required: bool = False
    demanded: tuple[str, ...] = ()
    has_text: bool = True
    texts: frozenset[str] = frozenset()
    editor: str | None = None
    reviewers: frozenset[str] = frozenset()
    signed: frozenset[str] = frozenset()
    has_parameters: bool = False

    @property
    def shown(self) -> State:
        """The one word for it: held before anything but retired."""
        return State.HELD if self.held and self.state != State.RETIRED else self.state

    @property
    def reviewed(self) -> bool:
        """Whether another person than its editor signed the review off."""
        return not self.has_text or bool(self.reviewers - {self.editor})

    @property
    def without_text(self) -> tuple[str, ...]:
        """Demanded languages that it has no text in."""
        return tuple(one for one in self.demanded if self.has_text and one not in self.texts)

    @property
    def unsigned(self) -> tuple[str, ...]:
        """Demanded languages whose text is not signed off."""
        wanted = self.demanded if self.has_text else ()
        return tuple(one for one in wanted if one in self.texts and one not in self.signed)


# --- what a move asks for ----------------------------------------------------------------------

Need = Callable[[Standing, str], list[str]]
"""What is missing for a move, in words, given the standing and the reason."""


def reason_given(_standing: Standing, reason: str) -> list[str]:
    """A reason."""
    return [] if reason.strip() else ["a reason"]


def review_signed(standing: Standing, _reason: str) -> list[str]:
    """A review by another person than the last editor."""
    if standing.reviewed:
        return []
    if standing.reviewers:
        return ["a review signed off by another person than the one who edited it last"]
    return ["a review that is signed off"]


def texts_signed(standing: Standing, _reason: str) -> list[str]:
    """A text in each language that the bank demands, each signed off."""
    missing = [f"a text in {language}" for language in standing.without_text]
    return missing + [f"a sign-off of the text in {language}" for language in standing.unsigned]


def parameters_known(standing: Standing, _reason: str) -> list[str]:
    """Parameters of the newest revision."""
    return [] if standing.has_parameters else ["parameters of its newest revision"]


@dataclass(frozen=True)
class Rule:
    """Who may make a move, and what it asks for.

    Parameters
    ----------
    shortcut
        Open only where the bank demands no review.
    """

    roles: frozenset[str]
    needs: tuple[Need, ...] = ()
    shortcut: bool = False


_BACK = Rule(BANK_KEEPERS, (reason_given,))
_BACK_TO_AUTHOR = Rule(WRITERS, (reason_given,))
_RETIRE = Rule(BANK_KEEPERS, (reason_given,))
_TRY = Rule(BANK_KEEPERS, (review_signed, texts_signed, parameters_known))
_TRY_UNREAD = Rule(BANK_KEEPERS, (parameters_known,), shortcut=True)
_COUNT = Rule(JUDGES, (review_signed, texts_signed, parameters_known, reason_given))
_COUNT_TRIED = Rule(JUDGES, (parameters_known, reason_given))
_COUNT_UNREAD = Rule(JUDGES, (parameters_known, reason_given), shortcut=True)
_HOLD = Rule(HOLDERS, (reason_given,))
_LIFT = Rule(BANK_KEEPERS)

RULES: Mapping[tuple[State, State], Rule] = {
    (State.DRAFT, State.REVIEWED): Rule(READERS, (review_signed,)),
    (State.REVIEWED, State.TRANSLATED): Rule(WRITERS, (review_signed, texts_signed)),
    (State.TRANSLATED, State.PRETEST): _TRY,
    (State.TRANSLATED, State.OPERATIONAL): _COUNT,
    (State.PRETEST, State.OPERATIONAL): _COUNT_TRIED,
    (State.OPERATIONAL, State.PRETEST): _BACK,
    **{(state, State.PRETEST): _TRY_UNREAD for state in (State.DRAFT, State.REVIEWED)},
    **{(state, State.OPERATIONAL): _COUNT_UNREAD for state in (State.DRAFT, State.REVIEWED)},
    **{(state, State.DRAFT): _BACK_TO_AUTHOR for state in UNRELEASED_TEXT},
    **{(state, State.DRAFT): _BACK for state in (*IN_RELEASES, State.RETIRED)},
    **{
        (state, State.RETIRED): _RETIRE
        for state in State
        if state not in {State.RETIRED, State.HELD}
    },
    **{(state, State.HELD): _HOLD for state in State if state != State.HELD},
}


@dataclass(frozen=True)
class Offer:
    """A move that is open from here: who may make it, and what it still lacks but a reason."""

    to: State
    roles: frozenset[str]
    missing: tuple[str, ...]
    asks_reason: bool

    def open_to(self, role: str) -> bool:
        """Whether a role may make it."""
        return role == OPERATOR or role in self.roles


def _rule(standing: Standing, to: State) -> Rule | None:
    """Return the rule of a move from here; None when there is no such way."""
    if standing.held:
        if to == State.HELD:
            return None
        lifts = standing.state == to
        away = to in {State.RETIRED, State.DRAFT}
        found = _LIFT if lifts else RULES.get((standing.state, to)) if away else None
    else:
        found = RULES.get((standing.state, to))
    return None if found and found.shortcut and standing.review_required else found


def offers(standing: Standing) -> list[Offer]:
    """Return the moves that are open from here, in the order of the life cycle."""
    found = []
    for to in State:
        rule = _rule(standing, to)
        if rule is not None:
            missing = [what for need in rule.needs for what in need(standing, "given")]
            asks = reason_given in rule.needs
            found.append(Offer(to, rule.roles, tuple(missing), asks))
    return found


def state_named(name: str) -> State:
    """Return a state by its name; `InputError` when there is none such."""
    if name not in list(State):
        raise InputError(f"one of {', '.join(State)}", repr(name))
    return State(name)


class MayNot(AnswerIsNo):
    """A role may not make a move."""


def _named(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def check_move(standing: Standing, to: State, role: str, reason: str) -> None:
    """Refuse a move that is not open from here, not this role's to make, or lacks something.

    Raises
    ------
    MayNot
        When the role may not make it.
    AnswerIsNo
        When there is no such way, or it lacks something; the message names all of it.
    """
    code, here = standing.code, standing.shown
    if here == to:
        raise AnswerIsNo(f"item {code} is {to} already")
    rule = _rule(standing, to)
    if rule is None:
        ways = ", ".join(offer.to for offer in offers(standing)) or "nowhere"
        beneath = f" ({standing.state})" if standing.held else ""
        raise AnswerIsNo(f"item {code} is {here}{beneath}: from there it can go to {ways}")
    if role != OPERATOR and role not in rule.roles:
        who = " or ".join(_named(role) for role in sorted(rule.roles))
        raise MayNot(f"item {code}: only {who} may move it from {here} to {to}")
    missing = [what for need in rule.needs for what in need(standing, reason)]
    if missing:
        raise AnswerIsNo(f"item {code} cannot become {to}: it lacks {'; '.join(missing)}")


def check_sign_off(standing: Standing, language: str, actor: Actor) -> None:
    """Refuse a sign-off of what is not there, or of one's own text.

    Parameters
    ----------
    language
        "" for the review.

    Raises
    ------
    MayNot
        When the actor has no account, may sign nothing off, or wrote what is to be reviewed.
    AnswerIsNo
        When there is no text, or it is signed off already.
    """
    code = standing.code
    if actor.id is None or actor.role not in READERS:
        raise MayNot(f"item {code}: a sign-off is a person's, with an account of the staff")
    if not standing.has_text:
        raise AnswerIsNo(f"item {code} has parameters alone: there is nothing to sign off")
    if language and language not in standing.texts:
        raise AnswerIsNo(f"item {code} has no text in {language}")
    if not language and actor.id == standing.editor:
        raise MayNot(f"item {code}: who edited it last cannot sign its review off")
    if language in standing.signed or (not language and actor.id in standing.reviewers):
        raise AnswerIsNo(f"item {code}: this is signed off already")


@dataclass(frozen=True)
class Shortfall:
    """What keeps an item out of a release, in a language ("" for all)."""

    item: str
    language: str
    lacks: str

    def __str__(self) -> str:
        """Return it as one line."""
        where = f" ({self.language})" if self.language else ""
        return f"item {self.item}{where}: {self.lacks}"
