"""What pages of standard setting say."""

from __future__ import annotations

from engine.standards.panels import NoCut

METHOD_WORDS = {"angoff": "Modified Angoff", "bookmark": "Bookmark"}
STATUS_WORDS = {
    "open": "open",
    "closed": "closed, not approved yet",
    "approved": "approved",
    "discarded": "set aside",
}
STATUS_CLASSES = {
    "open": "running",
    "closed": "ready",
    "approved": "finished",
    "discarded": "closed",
}
NO_CUT_WORDS = {
    NoCut.UNRATED: "nothing rated yet",
    NoCut.BELOW: "below what anybody gets by guessing",
    NoCut.ABOVE: "above what anybody gets",
    NoCut.SEVERAL: "several abilities have this score",
}
HOW_WORDS = {
    "all": "all in use",
    "form": "a form over content areas and difficulties",
    "list": "a list",
}
RULE_WORDS = {
    "between": "half way between the places beside the mark",
    "item": "at the place after the mark",
}
CANDIDATE_HELP = (
    "A minimally competent candidate is just good enough for the level: one who would deserve it, "
    "with nothing to spare. Not the average candidate, and not the best. Write down what this "
    "person can do and cannot do yet; panellists read it beside every question."
)
