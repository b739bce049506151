"""What acts make of a result, and what its candidate could see: pure."""

from __future__ import annotations

from item_bank.exams.decided import Act, Done, shown_results, signers, state_after


def history(*acts: tuple[Act, int]) -> list[Done]:
    return [
        Done("d", number, act, result, f"account-{number}", "examiner", number)
        for number, (act, result) in enumerate(acts, start=1)
    ]


def test_reinstated_is_what_it_was_before():
    held, gone, back = Act.HELD, Act.INVALIDATED, Act.REINSTATED

    assert state_after("awaiting", [gone, back]) == "awaiting"
    assert state_after("released", [held, gone, back]) == "held"
    assert state_after("released", [gone, back, held, gone, back, Act.RELEASED]) == "released"


def test_a_candidate_has_seen_what_was_released_and_what_replaced_it():
    amended, released = Act.AMENDED, Act.RELEASED

    assert shown_results("released", []) == (1,)
    assert shown_results("released", history((released, 1), (amended, 2))) == (1, 2)
    assert shown_results("awaiting", history((amended, 2), (released, 2))) == (2,)
    assert shown_results("released", history((Act.HELD, 1), (amended, 2))) == (1,)


def test_signatures_are_under_one_result():
    done = history((Act.SIGNED, 1), (Act.AMENDED, 2), (Act.SIGNED, 2))

    assert signers(done, 1) == ("account-1",)
    assert signers(done, 2) == ("account-3",)
