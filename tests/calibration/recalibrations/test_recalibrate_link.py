"""From recorded sittings over two linked releases, on a copy of the demonstration."""

import json
import shutil

import pytest

BANK = "low-altitude"


@pytest.fixture
def tarozu(demonstration, run_command, tmp_path, monkeypatch):
    """Run commands with --json on a copy; gives what they print, or all of it when they fail."""
    home = tmp_path / "site"
    shutil.copytree(demonstration.parent, home)
    monkeypatch.delenv("TAROZU_SECRETS", raising=False)

    def run(*arguments, status=0):
        url = f"sqlite:///{home / 'demo.db'}"
        found, said, err = run_command("--json", "--database", url, *arguments)
        assert found == status, err
        return json.loads(said) if status == 0 else err

    return run


def link(tarozu, tmp_path, *options):
    return tarozu(
        "calibrate", "recalibrate", "--bank", BANK, "--strategy", "link", "--free", "all",
        "--out", tmp_path / "out", *options,
    )  # fmt: skip


def test_links_and_their_errors_are_kept_from_release_to_release(tarozu, tmp_path):
    first = link(tarozu, tmp_path)
    assert first["settings"]["way"] == "all"
    assert first["link"]["n_anchors"] > 5
    assert first["link"]["chain"]["n_links"] == 1
    assert first["response_times"]["n_times"] > 500
    assert (tmp_path / "out" / "response_times.csv").exists()
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Links since release 1: 1" in report
    assert "min_n" in report

    tarozu("bank", "publish", BANK)
    second = link(tarozu, tmp_path)
    chain = second["link"]["chain"]
    assert (second["link"]["release"], chain["base_release"], chain["n_links"]) == (2, 1, 2)
    assert chain["scale"]["se_B"] >= first["link"]["chain"]["scale"]["se_B"]
    tarozu("bank", "publish", BANK)
    shown = tarozu("bank", "show", BANK)["releases"]
    assert [release["number"] for release in shown] == [3, 2, 1]
    assert shown[0]["link"]["chain"] == chain
    assert shown[1]["link"]["A"] == first["link"]["A"]
    assert shown[2]["link"] is None


def test_past_sittings_are_rescored_with_the_draft_and_nothing_is_kept(tarozu, tmp_path):
    same = tarozu("bank", "diff", BANK, "1", "1", "--effect")
    assert same["changes"] == []
    (nothing,) = same["effect"]
    assert (nothing["sittings"], nothing["changed_scores"], nothing["changed_levels"]) == (60, 0, 0)
    assert nothing["largest_theta_change"] == pytest.approx(0, abs=1e-9)

    link(tarozu, tmp_path)
    found = tarozu("bank", "diff", BANK, "1", "draft", "--effect")
    (effect,) = found["effect"]
    assert effect["changed_scores"] > 0
    assert sum(effect["moves"].values()) == effect["changed_levels"]
    listed = effect["listed"]
    assert len(listed) == min(20, effect["changed_scores"])
    assert sum(row["level"] != row["new_level"] for row in listed) == effect["changed_levels"]
    assert tarozu("bank", "diff", BANK, "1", "1", "--effect") == same
    changed = [row for row in found["changes"] if row["gate"]]
    assert changed
    assert all(row["gate"]["reasons"] for row in changed if not row["gate"]["passed"])


def test_pretest_items_that_pass_the_gates_count_after_publishing(tarozu, tmp_path):
    gates = tmp_path / "gates.toml"
    gates.write_text("min_n = 30\nmin_a = 0\nmax_se_a = 9\nmax_se_b = 9\nmax_rmsd = 1\n")
    items = [row["item"] for row in tarozu("bank", "show", BANK)["item_list"]]
    pretest = {
        r["item"] for r in tarozu("bank", "show", BANK)["item_list"] if r["status"] == "pretest"
    }
    found = link(tarozu, tmp_path, "--gates", gates)
    assert set(found["promoted"]) <= pretest
    assert set(found["promoted"]) | set(found["stay_pretest"]) <= pretest
    tarozu("bank", "publish", BANK)
    after = {row["item"]: row["status"] for row in tarozu("bank", "show", BANK)["item_list"]}
    assert set(after) == set(items)
    assert {name for name, status in after.items() if status == "pretest"} == pretest - set(
        found["promoted"]
    )


def test_dif_of_a_table_and_impossible_gates_are_held_against_items(tarozu, tmp_path):
    gates, dif = tmp_path / "gates.toml", tmp_path / "dif.csv"
    gates.write_text("min_n = 100000\n")
    items = [row["item"] for row in tarozu("bank", "show", BANK)["item_list"]]
    dif.write_text("item,ets_class\n" + "".join(f"{name},C\n" for name in items))
    found = link(tarozu, tmp_path, "--gates", gates, "--dif", dif)
    assert found["promoted"] == []
    changes = tarozu("bank", "diff", BANK, "1", "draft")
    reasons = {row["item"]: row["gate"]["reasons"] for row in changes}
    assert all("fewer than 100000" in text[0] for text in reasons.values())
    assert any("DIF of class C" in text for own in reasons.values() for text in own)


@pytest.mark.parametrize(
    ("text", "message"),
    [("min_m = 1", "min_m: expected one of"), ("min_n = 'x'", "min_n: expected a whole number")],
)
def test_gates_that_cannot_be_are_refused_in_one_line(tarozu, tmp_path, text, message):
    (tmp_path / "gates.toml").write_text(text)
    err = tarozu(
        "calibrate", "recalibrate", "--bank", BANK, "--gates", tmp_path / "gates.toml",
        "--out", tmp_path / "out", status=2,
    )  # fmt: skip
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "out").exists()


def test_the_default_gates_are_printed_without_a_bank(run_command):
    status, said, _err = run_command("calibrate", "recalibrate", "--show-gates")
    assert status == 0
    assert said.startswith("min_n = 200")
