"""`tarozu bank` from end to end, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from item_bank.items.releases import release_parameters
from item_bank.store.schema import organisation
from item_bank.store.tables.records import SiteEvent


def as_json(run_command, *arguments):
    status, out, err = run_command("--json", *arguments)
    assert status == 0, err
    return json.loads(out)


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_a_bank_is_imported_published_and_listed(db, run_command, small_bank_file):
    assert run_command("bank", "list")[1].startswith("No bank yet")

    report = as_json(run_command, "bank", "import", small_bank_file)
    published = as_json(run_command, "bank", "publish", "small")
    (row,) = as_json(run_command, "bank", "list")

    assert (len(report["new"]), report["draft"]) == (12, 1)
    assert (published["release"], published["items"]) == (1, 12)
    assert (row["release"], row["items"], row["languages"]) == (1, 12, ["en", "ru"])
    assert "Sums" in run_command("bank", "list")[1]


def test_a_dry_run_keeps_nothing(db, run_command, small_bank_file):
    status, out, _ = run_command("bank", "import", small_bank_file, "--dry-run")

    assert (status, "Nothing was kept" in out) == (0, True)
    assert as_json(run_command, "bank", "list") == []


def test_publishing_twice_answers_no(db, run_command, small_bank):
    status, out, err = run_command("bank", "publish", "small")

    assert (status, out) == (1, "")
    assert err.startswith("nothing to publish: bank small is as release 1 has it")


def test_new_parameters_are_compared_before_they_are_published(
    db, run_command, small_bank, small_bank_file
):
    def harder(document):
        document["items"][0]["parameters"] |= {"b": -1.0, "se": {"a": 0.1, "b": 0.2}}

    as_json(run_command, "bank", "import", edited(small_bank_file, harder))
    (change,) = as_json(run_command, "bank", "diff", "small", "1", "draft")
    status, out, err = run_command("bank", "publish", "small", "--dry-run")

    assert (change["item"], change["old"]["b"], change["new"]["b"]) == ("S-01", -2, -1)
    assert change["distance"] == pytest.approx(0.257, abs=0.01)
    assert "-2.000 → -1.000±0.200" in run_command("bank", "diff", "small", "1", "draft")[1]
    assert (status, out) == (0, "Nothing was published.\n")
    assert "changed: 1 (S-01)" in err
    as_json(run_command, "bank", "publish", "small")
    assert len(as_json(run_command, "bank", "diff", "small", "1", "2")) == 1
    assert "are the same" in run_command("bank", "diff", "small", "2", "2")[1]


def test_a_draft_can_be_set_aside(db, run_command, small_bank, small_bank_file):
    edited(small_bank_file, lambda d: d["items"][0]["parameters"].update(b=0))
    run_command("bank", "import", small_bank_file)

    assert run_command("bank", "discard", "small")[0] == 0
    assert run_command("bank", "publish", "small")[0] == 1
    assert run_command("bank", "discard", "small")[0] == 1


def test_an_export_imports_as_no_change(db, run_command, small_bank, tmp_path):
    for name in ("whole.json", "parameters.csv"):
        assert run_command("bank", "export", "small", tmp_path / name)[0] == 0

        report = as_json(run_command, "bank", "import", tmp_path / name, "--bank", "small")

        assert (len(report["unchanged"]), report["draft"]) == (12, None)


def test_an_old_release_can_be_exported(db, run_command, small_bank, small_bank_file, tmp_path):
    edited(small_bank_file, lambda d: d["items"][0]["parameters"].update(b=0))
    run_command("bank", "import", small_bank_file)

    run_command("bank", "export", "small", tmp_path / "old.csv", "--release", "1")

    assert "S-01,2pl,1.05,-2.0," in (tmp_path / "old.csv").read_text()


def test_a_bank_of_parameters_alone_is_published(db, run_command, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("item,model,a,b1,b2,content\nQ2,grm,1.5,-1,1,x\nQ1,pcm,1,-.5,.5,y\n")

    as_json(run_command, "bank", "import", path, "--bank", "plain")
    as_json(run_command, "bank", "publish", "plain")
    release = release_parameters(db, "plain", organisation_id=organisation(db), language="ru")

    assert release.items.item == ("Q2", "Q1")
    assert release.items.thresholds[0].tolist() == [-1, 1]


def test_show_tells_what_the_next_release_changes(db, run_command, small_bank):
    run_command("bank", "retire", "small", "S-02", "--reason", "worn out")
    run_command("bank", "hold", "small", "S-03", "--reason", "seen on a forum")

    rows = {row["item"]: row for row in as_json(run_command, "bank", "show", "small")["item_list"]}

    assert rows["S-02"]["next"] == "retired, leaves the release"
    assert rows["S-03"]["status"] == "operational (held)"
    assert run_command("bank", "release-hold", "small", "S-03")[0] == 0
    assert run_command("bank", "release-hold", "small", "S-03")[0] == 1
    assert "release 1" in run_command("bank", "show", "small")[1]


def test_check_needs_no_database_and_lists_every_problem(run_command, tmp_path, small_bank_file):
    bad = tmp_path / "bad.csv"
    bad.write_text("item,model,a,b\nA,2pl,0,1\nB,2pl,1,x\n")

    status, out, err = run_command("--json", "bank", "check", small_bank_file, bad)
    good, wrong = json.loads(out)["files"]

    assert status == 2
    assert err == "error: expected no problems, found 2 in 1 files\n"
    assert (good["items"], good["errors"], good["unsupported"]) == (12, [], [])
    assert len(wrong["errors"]) == 2
    assert run_command("bank", "check", small_bank_file)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["import", "none.csv"], "none.csv: expected a file to read"),
        (["import", "{bad}"], ":2: a: expected a number above 0"),
        (["import", "{nameless}"], "a bank's code, in the file or as --bank"),
        (["import", "{nameless}", "--bank", "=x"], "--bank: expected a code"),
        (["show", "none"], "one of the banks: small"),
        (["publish", "none"], "one of the banks: small"),
        (["diff", "small", "1", "9"], "a release from 1 to 1, found 9"),
        (["diff", "small", "1", "x"], "a release number or draft, found 'x'"),
        (["export", "small", "out.xlsx"], "ends in .json, .zip or .csv"),
        (["export", "small", "no/such/folder.csv"], "a folder to write to"),
        (["retire", "small", "S-99", "--reason", "worn"], "an item of bank small, found 'S-99'"),
        (["hold", "small", "S-01", "--reason", " "], "--reason: expected a reason"),
        (["hold", "small", "S-01"], "--reason"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    db, small_bank, run_command, tmp_path, monkeypatch, arguments, problem
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("item,model,a,b\nA,2pl,0,1\n")
    (tmp_path / "nameless.csv").write_text("item,model,a,b\nA,2pl,1,1\n")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("bad", "nameless")}
    before = as_json(run_command, "bank", "list")

    status, out, err = run_command("bank", *(a.format(**files) for a in arguments))

    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert problem in err
    assert as_json(run_command, "bank", "list") == before


def test_without_a_database_the_way_out_is_named(run_command, tmp_path, monkeypatch):
    monkeypatch.setenv("TAROZU_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    status, _, err = run_command("bank", "list")

    assert status == 2
    assert "run `tarozu init`" in err


def test_an_area_that_the_bank_does_not_know_is_refused(db, run_command, small_bank, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("item,model,a,b,content\nS-01,2pl,1,0,huge\n")

    status, _, err = run_command("bank", "import", path, "--bank", "small")

    assert status == 2
    assert "item S-01: content: expected one of the bank's content areas: large, small" in err


def test_parameters_alone_leave_the_text_of_an_item(db, run_command, small_bank, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("item,model,a,b,content\nS-01,2pl,1.5,0.5,large\n")

    report = as_json(run_command, "bank", "import", path, "--bank", "small")
    (change,) = as_json(run_command, "bank", "diff", "small", "1", "draft")

    assert (report["revised"], report["parameters"]) == (["S-01"], ["S-01"])
    assert change["reworded"] is True
    rows = as_json(run_command, "bank", "show", "small")["item_list"]
    assert (rows[0]["area"], rows[0]["languages"]) == ("large", ["en", "ru"])
    path.write_text("item,model,a,b1,b2\nS-01,grm,1.5,0,1\n")
    assert "two categories" in run_command("bank", "import", path, "--bank", "small")[2]


def test_a_change_of_the_bank_itself_is_reported(db, run_command, small_bank, small_bank_file):
    edited(small_bank_file, lambda d: d["bank"]["name"].update(en="Additions"))

    assert as_json(run_command, "bank", "import", small_bank_file)["about"] == ["name"]
    assert "Additions" in run_command("bank", "list")[1]


def test_the_reason_of_a_hold_stays_outside_the_chain(db, run_command, small_bank):
    run_command("bank", "hold", "small", "S-03", "--reason", "told by Umed")

    with db.read() as session:
        payloads = session.scalars(select(SiteEvent.payload)).all()
    assert "Umed" not in json.dumps(payloads)


def test_parameters_split_by_language_are_exported_and_read_back(db, run_command, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text(
        "item,model,a,b,se_b,language,enemies,stimulus\n"
        "A,2pl,1,0,.1,en,B;C,map\nA,2pl,1,0.5,.2,ru,B;C,map\nB,2pl,1,1,,,,\n"
    )
    as_json(run_command, "bank", "import", path, "--bank", "split")
    as_json(run_command, "bank", "publish", "split")
    home = organisation(db)
    russian = release_parameters(db, "split", organisation_id=home, language="ru")

    assert russian.items.b.tolist() == [0.5, 1]
    for name in ("out.json", "out.csv"):
        run_command("bank", "export", "split", tmp_path / name)
        report = as_json(run_command, "bank", "import", tmp_path / name, "--bank", "split")
        assert (report["parameters"], len(report["unchanged"])) == ([], 2)


def test_an_item_without_parameters_in_a_language_is_not_published(
    db, run_command, small_bank, small_bank_file, tmp_path
):
    path = tmp_path / "split.csv"
    path.write_text("item,model,a,b,language\nS-01,2pl,1,0,en\nS-01,2pl,1,0.5,ru\n")
    as_json(run_command, "bank", "import", path, "--bank", "small")
    as_json(run_command, "bank", "publish", "small")

    def add_tajik(document):
        first = document["items"][0]
        first["variants"]["tg"] = first["variants"]["en"]
        first["parameters"] = {
            "by_language": {
                name: {"model": "2pl", "a": 1, "b": b} for name, b in (("en", 0), ("ru", 1))
            }
        }

    as_json(run_command, "bank", "import", edited(small_bank_file, add_tajik))
    status, _, err = run_command("bank", "publish", "small")

    assert status == 2
    assert "item S-01: expected parameters for language 'tg', found none" in err
    rows = as_json(run_command, "bank", "show", "small")["item_list"]
    note = next(row["next"] for row in rows if row["item"] == "S-01")
    assert note == "no parameters in tg, leaves the release"


def test_an_item_that_was_split_keeps_its_sets(db, run_command, small_bank, tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("item,model,a,b,language\nS-01,2pl,1,0,en\nS-01,2pl,1,0.5,ru\n")
    as_json(run_command, "bank", "import", path, "--bank", "small")
    changes = as_json(run_command, "bank", "publish", "small")["changes"]

    assert [(c["language"], c["new"]["b"]) for c in changes] == [("en", 0), ("ru", 0.5)]
    for name in ("out.json", "out.csv"):
        run_command("bank", "export", "small", tmp_path / name)
        report = as_json(run_command, "bank", "import", tmp_path / name, "--bank", "small")
        assert (report["parameters"], report["revised"]) == ([], [])


def test_a_new_text_without_parameters_waits_for_them(db, run_command, small_bank, small_bank_file):
    def reworded(document):
        del document["items"][0]["parameters"]
        document["items"][0]["variants"]["en"]["stem"] = "How much is 1 + 2?"

    report = as_json(run_command, "bank", "import", edited(small_bank_file, reworded))

    assert report["without_parameters"] == ["S-01"]
    assert run_command("bank", "publish", "small")[0] == 1
    rows = as_json(run_command, "bank", "show", "small")["item_list"]
    assert rows[0]["next"] == "keeps the old text: the new has no parameters"


def test_a_language_that_is_added_takes_the_parameters_of_the_others(
    db, run_command, small_bank, small_bank_file
):
    def add_tajik(document):
        for item in document["items"]:
            item["variants"]["tg"] = item["variants"]["en"]

    as_json(run_command, "bank", "import", edited(small_bank_file, add_tajik))
    as_json(run_command, "bank", "publish", "small")
    home = organisation(db)

    tajik = release_parameters(db, "small", organisation_id=home, language="tg")

    assert tajik.items.b[0] == -2


def test_an_item_without_parameters_is_named_when_a_table_cannot_hold_it(
    db, run_command, small_bank_file, tmp_path
):
    run_command(
        "bank", "import", edited(small_bank_file, lambda d: d["items"][0].pop("parameters"))
    )

    status, out, err = run_command("bank", "export", "small", tmp_path / "out.csv")

    assert (status, "11 items" in out) == (0, True)
    assert "since they have no parameters: S-01" in err


def test_brackets_in_names_are_shown_as_they_are(db, run_command, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("item,model,a,b,content\nA,2pl,1,0,[/red]:smile:\n")
    run_command("bank", "import", path, "--bank", "odd")

    assert "[/red]:smile:" in run_command("bank", "show", "odd")[1]
