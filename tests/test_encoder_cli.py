"""A model that reads texts by an encoder, from training to use, through the commands."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.cli import main

FIELDS = ("healthcare", "education", "engineering")
WORDS = {field: [f"{field[:2]}ế{number}" for number in range(40)] for field in FIELDS}
COMMON = [f"chungế{number}" for number in range(20)]


def table(path, rows, words, *, seed, labelled=True):
    """Write records whose words come from a part of their field's; return the right fields."""
    random = np.random.default_rng(seed)
    fields = [FIELDS[number % 3] for number in range(rows)]
    texts = [" ".join(random.choice([*WORDS[field][words], *COMMON], 30).tolist()) for field in fields]
    frame = pd.DataFrame({"Mã": [f"R{seed}-{n}" for n in range(rows)], "Tên sáng kiến": texts})
    if labelled:
        frame["Lĩnh vực"] = fields
    frame.to_csv(path, index=False)
    return fields


@pytest.fixture
def encoder(tmp_path, static_encoder):
    """A folder with an encoder in which the words of a field lie together."""
    random = np.random.default_rng(0)
    spelled = [(word, place) for place, own in enumerate([*WORDS.values(), COMMON]) for word in own]
    vectors = np.eye(4)[[place for _, place in spelled]] + 0.05 * random.normal(size=(len(spelled), 4))
    words = ["[UNK]", *(word for word, _ in spelled)]
    return static_encoder(tmp_path / "encoder", words, np.vstack([np.zeros(4), vectors]))


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Call the program in a folder of its own; return exit code, what is for machines, and messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANGKIEN_STORE", raising=False)
    monkeypatch.setenv("SANGKIEN_MODELS", str(tmp_path / "models"))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["sangkien", *map(str, words), "--lang", "en", "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, json.loads(out) if out else {}, " ".join(err.split())

    return run


@pytest.mark.slow
def test_an_encoder_is_part_of_the_model(tmp_path, encoder, call):
    """A model learnt with an encoder knows words it never saw; without the encoder it is refused by name."""
    table(tmp_path / "learnt.csv", 60, slice(20), seed=1)
    right = table(tmp_path / "new.csv", 30, slice(20, None), seed=2, labelled=False)

    code, told, said = call("train", "learnt.csv", "--name", "vectors", "--encoder", encoder)
    assert code == 0, said
    version = told["version"]
    card = json.loads((tmp_path / "models" / "vectors" / version / "card.json").read_text(encoding="utf-8"))
    assert card["encoder"]["name"] == "encoder"
    assert "vectors" in card["chosen"]
    assert str(tmp_path) not in json.dumps(card)
    assert call("models", "promote", "vectors", version)[0] == 0

    code, _, said = call("classify", "new.csv", "--model", "vectors", "--out", "without")
    assert code == 3
    assert "--encoder" in said
    code, _, said = call("classify", "new.csv", "--model", "vectors", "--out", "out", "--encoder", encoder)
    assert code == 0, said
    labels = pd.read_csv(tmp_path / "out" / "labels.csv", encoding="utf-8-sig", dtype="str")
    assert (labels["field"] == right).mean() > 0.9


@pytest.mark.slow
def test_no_comparison_is_skipped_for_want_of_an_encoder(tmp_path, encoder, call):
    """While nobody names the encoder of the model in use, no other model takes its place."""
    table(tmp_path / "learnt.csv", 60, slice(20), seed=1)
    table(tmp_path / "frozen.csv", 30, slice(20, None), seed=3)
    former = call("train", "learnt.csv", "--name", "vectors", "--encoder", encoder)[1]["version"]
    assert call("models", "promote", "vectors", former)[0] == 0
    new = call("train", "learnt.csv", "--name", "vectors")[1]["version"]
    promote = ("models", "promote", "vectors", new, "--on", "frozen.csv")
    code, _, said = call(*promote)
    assert code == 3
    assert "--encoder" in said
    code, _, said = call(*promote, "--encoder", encoder)
    assert code == 3
    assert "no better than the model in use" in said
