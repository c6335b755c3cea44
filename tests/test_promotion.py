"""Judging and replacing a field classifier by the command line: on which records, in which fields."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import normalize, read, registry, seen, starter
from pipeline.cli.main import main
from pipeline.taxonomy import default

CODES = [field.code for field in default().fields if field.code != "other"][:6]
RHYMES = [f"{vowel}{end}{last}" for vowel in "àáảãạèéẻẽẹòóỏõọ" for end in "nmtp" for last in "aeiou"]


def table(count: int, *, seed: int, noise: float = 0.0) -> pd.DataFrame:
    """Return planted records of six fields, each of words of its own; a share of the labels is wrong."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        place = number % len(CODES)
        words = [f"{'bcdghk'[place]}{each}" for each in RHYMES]
        text = random.choice(words, 30)
        given_ = (place + random.integers(1, len(CODES))) % len(CODES) if random.random() < noise else place
        rows.append((f"s{seed}-{number}", " ".join(text[:6]), " ".join(text[6:]), CODES[given_]))
    return pd.DataFrame(rows, columns=["id", "title", "description", "field"], dtype="str")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Return a folder with tables and models: one taught by half wrong labels, one by right ones."""
    folder = tmp_path_factory.mktemp("desk")
    tables = {
        "noisy": table(120, seed=1, noise=0.5),
        "clean": table(240, seed=2),
        "frozen": table(180, seed=3),
        "more": table(60, seed=4),
    }
    versions = {}
    for name, rows in tables.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    for name in ("noisy", "clean"):
        batch = normalize.frame(read.tables([folder / f"{name}.csv"]).batch)
        versions[name] = starter.train_fields(
            folder / "models",
            batch,
            default(),
            name="fields",
            source=[folder / f"{name}.csv"],
            created="2025-01-01",
        )
    return folder, versions


@pytest.fixture
def call(shelf, monkeypatch, capsys, tmp_path):
    """Call the program beside the shelf, the noisy model in use; return exit code, JSON and messages."""
    folder, versions = shelf
    (folder / "models" / "fields" / "current").write_text(versions["noisy"] + "\n", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(folder / "models"))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), "--lang", "en"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, " ".join(err.split())

    return run


def in_use(shelf):
    """Return the version in use."""
    return registry.current(shelf[0] / "models", "fields")


# ------------------------------------------------------------------------------------------ the marks


@given(st.lists(st.text("aàảâbĐđ ÝyKk", max_size=12), min_size=1, max_size=8), st.randoms())
def test_a_text_is_known_again_however_it_is_written(texts, random):
    """NFD, capitals, another id and another order change no mark; an empty text has none."""
    batch = pd.DataFrame(
        {"id": map(str, range(len(texts))), "clean_title": texts, "clean_description": ""}, dtype="str"
    )
    marks = dict(zip(texts, seen.marks(batch).tolist(), strict=True))
    order = list(range(len(texts)))
    random.shuffle(order)
    other = batch.iloc[order].assign(
        id="x", clean_title=[unicodedata.normalize("NFD", texts[n].upper()) for n in order]
    )
    assert seen.marks(other).tolist() == [marks[texts[n]] for n in order]
    assert all((mark == 0) == (not text.strip()) for text, mark in marks.items())


@given(
    st.lists(st.tuples(*[st.sampled_from(["", "an", "ban", "càn"])] * 2), min_size=1, max_size=6),
    st.integers(0, 5),
)
def test_what_was_learnt_is_known_and_nothing_else(rows, cut):
    """Learnt records, and their titles alone, are known; others are not, unless they are copies of such."""
    batch = pd.DataFrame(rows, columns=["clean_title", "clean_description"], dtype="str")
    taught, rest = batch.iloc[:cut], batch
    stored = {seen.KEY: seen.learnt(taught)}
    texts = {tuple(row) for row in taught.to_numpy()} | {(row[0], "") for row in taught.to_numpy()}
    expected = [tuple(row) in texts and tuple(row) != ("", "") for row in rest.to_numpy()]
    alone = [str(n) for n in range(len(rest))]
    assert seen.by(stored, rest, alone).tolist() == expected
    assert seen.by(stored, rest, ["one"] * len(rest)).tolist() == [any(expected)] * len(rest)
    assert seen.by({}, rest, alone) is None
    assert stored[seen.KEY].nbytes <= 16 * len(taught)


# ------------------------------------------------------------------------------------------ promotion


def test_a_better_model_takes_the_place(call, shelf):
    """On records that neither saw the model of right labels passes; the card keeps the figures."""
    folder, versions = shelf
    code, done, said = call(
        "models", "promote", "fields", versions["clean"], "--on", folder / "frozen.csv", "--json"
    )
    assert code == 0, said
    assert in_use(shelf) == versions["clean"]
    kept = registry.card(folder / "models", "fields", versions["clean"])["promotion"]
    assert kept == done["promotion"]
    assert (kept["compared_with"], kept["against"]) == (versions["noisy"], [])
    assert kept["comparison"]["gain"] > 0.05
    assert call("models", "rollback", "fields")[0] == 0
    assert in_use(shelf) == versions["noisy"]


def test_a_worse_model_does_not(call, shelf):
    """The other way round the same two are refused with code 3, and the one in use stays."""
    folder, versions = shelf
    (folder / "models" / "fields" / "current").write_text(versions["clean"] + "\n", encoding="ascii")
    code, _, said = call("models", "promote", "fields", versions["noisy"], "--on", folder / "frozen.csv")
    assert code == 3
    assert "no better" in said
    assert in_use(shelf) == versions["clean"]


def test_nothing_is_replaced_unasked(call, shelf):
    """Without records to compare on, and without a reason, a model in use stays."""
    assert call("models", "promote", "fields", shelf[1]["clean"])[0] == 3
    assert in_use(shelf) == shelf[1]["noisy"]


def test_force_needs_a_reason_and_the_card_keeps_it(call, shelf):
    """An empty reason is refused; a real one is kept in the card, which is still whole."""
    folder, versions = shelf
    assert call("models", "promote", "fields", versions["clean"], "--force", " ")[0] == 2
    assert in_use(shelf) == versions["noisy"]
    assert call("models", "promote", "fields", versions["clean"], "--force", "a new phase begins")[0] == 0
    stored = registry.load(folder / "models", "fields", versions["clean"])
    assert stored.card["promotion"]["forced"] == "a new phase begins"


@pytest.mark.parametrize("taught", ["clean", "noisy"])
def test_records_that_taught_either_model_are_refused(call, shelf, tmp_path, taught):
    """One known record, under another id and in NFD, ends with code 3; a reason overrides."""
    versions = shelf[1]
    known = table(240, seed=2) if taught == "clean" else table(120, seed=1, noise=0.5)
    leaked = known.head(1).assign(id="other", title=known["title"].head(1).str.normalize("NFD"))
    pd.concat([table(180, seed=3), leaked]).to_csv(tmp_path / "leaky.csv", index=False)
    code, _, said = call("models", "promote", "fields", versions["clean"], "--on", "leaky.csv")
    assert code == 3
    assert re.search(r"\d of the 181 labelled records taught one of", said)
    assert in_use(shelf) == versions["noisy"]
    code, _, said = call(
        "models", "promote", "fields", versions["clean"], "--on", "leaky.csv", "--force", "only one of them"
    )
    assert code == 0
    assert "flatters" in said


# ------------------------------------------------------------------------------------------ evaluation


def test_the_very_table_it_learnt_from_is_said_aloud(call, shelf):
    """Quiet or not, and in the JSON and on the page; on others nothing of the kind is said."""
    folder, _ = shelf
    code, done, said = call("evaluate", "classify", folder / "noisy.csv", "--json", "--quiet", "--out", "out")
    assert code == 0, said
    assert "learnt from 120 of these 120 records" in said
    assert done["seen"] == {"known": True, "records": 120, "others": None}
    assert "<strong>The model learnt from 120" in Path("out/evaluation.html").read_text(encoding="utf-8")
    _, done, said = call("evaluate", "classify", folder / "frozen.csv", "--json")
    assert "learnt from" not in said
    assert done["seen"] == {"known": True, "records": 0, "others": None}
    _, done, _ = call("evaluate", "classify", folder / "noisy.csv", folder / "frozen.csv", "--json")
    # The pair model may take another record or two for copies of learnt ones.
    assert 120 <= done["seen"]["records"] < 130
    assert (
        done["seen"]["others"]["rows"]
        == done["rows"] - done["seen"]["records"]
        == 300 - done["seen"]["records"]
    )


def test_a_model_that_does_not_say_what_it_learnt_is_named(call, shelf):
    """Nothing is claimed of a model that an earlier program trained."""
    folder, versions = shelf
    stored = registry.load(folder / "models", "fields", versions["clean"])
    body = {name: value for name, value in stored.card.items() if name not in registry.RESERVED}
    model = {name: value for name, value in stored.model.items() if name != seen.KEY}
    registry.promote(folder / "models", "old", registry.save(folder / "models", "old", model, body))
    _, done, said = call("evaluate", "classify", folder / "frozen.csv", "--model", "old", "--json")
    assert "cannot be told" in said
    assert done["seen"]["known"] is False


def test_labels_in_the_store_judge_but_never_those_that_taught(call, shelf):
    """`--stored` leaves out what the model learnt from, and refuses where nothing else is left."""
    folder, _ = shelf
    for name in ("clean", "more"):
        rows = pd.read_csv(folder / f"{name}.csv")
        rows.drop(columns="field").to_csv(f"{name}.csv", index=False)
        rows[["id", "field"]].to_csv(f"{name}-labels.csv", index=False)
    assert call("archive", "add", "clean.csv", "more.csv", "--store", "s")[0] == 0
    assert call("label-queue", "--import", "clean-labels.csv", "--store", "s")[0] == 0
    code, trained, said = call("train", "--stored", "--store", "s", "--json")
    assert code == 0, said
    (folder / "models" / "fields" / "current").write_text(trained["version"] + "\n", encoding="ascii")
    code, _, said = call("evaluate", "classify", "--stored", "--store", "s")
    assert code == 3
    assert "nothing is left to judge on" in said
    assert call("label-queue", "--import", "more-labels.csv", "--store", "s")[0] == 0
    code, done, said = call("evaluate", "classify", "--stored", "--store", "s", "--json")
    assert code == 0, said
    left_out = 300 - done["rows"]
    assert 240 <= left_out < 250
    assert f"{left_out} of 300 labelled records are left out" in said
    assert done["seen"]["records"] == 0
    (folder / "models" / "fields" / "current").write_text(shelf[1]["noisy"] + "\n", encoding="ascii")
    code, done, said = call(
        "models", "promote", "fields", trained["version"], "--on-stored", "--store", "s", "--json"
    )
    assert code == 0, said
    assert done["promotion"]["comparison"]["rows"] <= 60
    assert call("evaluate", "classify")[0] == 2


def test_the_fields_in_use_in_the_store_count(call, shelf, tmp_path):
    """With `--store` its list of fields counts: a model of another list is refused, or replaced."""
    folder, versions = shelf
    rows = [{**row, "version": "2"} for row in default().rows()]
    rows.append({**dict.fromkeys(rows[0], ""), "version": "2", "code": "space", "name": "Vũ trụ"})
    pd.DataFrame(rows).to_csv("sheet.csv", index=False)
    assert call("taxonomy", "apply", "sheet.csv", "--store", "s")[0] == 0
    new = table(60, seed=5)
    new["field"] = new["field"].where(new["field"] != CODES[0], "space")
    new.to_csv("new.csv", index=False)
    code, _, said = call("evaluate", "classify", "new.csv", "--store", "s")
    assert code == 3
    assert "belongs to taxonomy 1; taxonomy 2 is in use" in said
    assert call("evaluate", "classify", "new.csv")[0] == 2  # without the store "space" is no field
    code, trained, said = call("train", "new.csv", "--store", "s", "--json")
    assert code == 0, said
    code, _, said = call("models", "promote", "fields", versions["clean"], "--on", "new.csv", "--store", "s")
    assert code == 3
    assert "belongs to taxonomy 1" in said
    code, done, said = call("models", "promote", "fields", trained["version"], "--store", "s", "--json")
    assert code == 0, said
    assert done["promotion"]["compared_with"] is None
    assert "belongs to taxonomy 1" in done["promotion"]["not_compared"]
    assert call("evaluate", "classify", folder / "frozen.csv", "--store", "s")[0] == 0


def test_a_page_does_not_show_what_is_confidential(call, shelf):
    """Of a record marked so the page and its data name the id alone, neither title nor description."""
    folder, _ = shelf
    rows = pd.read_csv(folder / "frozen.csv", dtype="str").head(60)
    wrong = rows["field"].map(dict(zip(CODES, CODES[1:] + CODES[:1], strict=True)))
    rows = rows.assign(field=wrong, title=[f"Bí danh {n}" for n in range(60)])
    rows["Thông tin cần bảo mật"] = ["x" if n % 2 else "Không" for n in range(60)]
    rows.to_csv("some.csv", index=False)
    assert call("evaluate", "classify", "some.csv", "--out", "out")[0] == 0
    page, data = (Path(f"out/evaluation.{kind}").read_text(encoding="utf-8") for kind in ("html", "json"))
    examples = [each for row in json.loads(data)["confusions"] for each in row["examples"]]
    hidden = [each for each in examples if int(each["id"].split("-")[1]) % 2]
    assert hidden
    assert len(hidden) < len(examples)
    for each in examples:
        number = int(each["id"].split("-")[1])
        assert each["title"] == ("" if number % 2 else f"Bí danh {number}")
    assert not any(f"Bí danh {n};" in page or f"Bí danh {n}<" in page for n in range(1, 60, 2))
    assert "(marked confidential)" in page
