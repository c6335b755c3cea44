"""The analyst's page and gate, from the labelled table to the file and the exit code."""

import json
from html.parser import HTMLParser

import pandas as pd
import pytest

from pipeline import judging, normalize, read, registry, starter
from pipeline.errors import GateRefused
from pipeline.report import label_judgement, model_card
from pipeline.taxonomy import default


@pytest.fixture(scope="module")
def judged(models, sample):
    """The starter on the sample's new batch: the content of its page, and what is true."""
    batch = normalize.frame(read.tables([sample / "batch_unions.csv", sample / "batch_portal.xlsx"]).batch)
    fields = pd.read_csv(sample / "batch_labels.csv", dtype="str", keep_default_na=False).set_index("id")
    for column in ("field", "field2"):
        batch[column] = batch["id"].map(fields[column]).fillna("")
    true = judging.truth(batch, default(), batch["id"].tolist())
    ready = starter.fields(models, default())
    return batch, true, judging.content(ready.model, batch, true, name=ready.name)


def test_every_side_is_told(judged):
    """Fields with intervals, confusions with examples, forms, sectors and units are all there."""
    batch, _, content = judged
    assert content["rows"] == len(batch)
    for field in content["fields"]:
        assert field["f1_low"] <= field["f1"] <= field["f1_high"]
    assert sum(each["rows"] for each in content["confusions"]) == round(
        (1 - content["accuracy"]) * len(batch)
    )
    for each in content["confusions"]:
        assert 1 <= len(each["examples"]) <= 3
    assert [form["name"] for form in content["forms"]] == ["title", "no_workplace", "no_marks", "decomposed"]
    assert {each["name"] for each in content["sectors"]} == {"enterprise", "public"}
    json.dumps(content, allow_nan=False)


def test_decomposed_letters_change_nothing(judged):
    """The same records in NFD have the very same figures."""
    content = judged[2]
    decomposed = content["forms"][3]
    assert {name: decomposed[name] for name in ("accuracy", "macro_f1")} == {
        name: content[name] for name in ("accuracy", "macro_f1")
    }


class Tags(HTMLParser):
    """Collects the tags of a page, and checks that what is opened is closed."""

    def __init__(self):
        """Begin with nothing open."""
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        """Note a tag that opens."""
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check a tag that closes."""
        if tag in self.open:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_is_whole_and_inert(judged, tmp_path, language):
    """The page is well formed, has both plots, no script, and shows a hostile title as text."""
    content = json.loads(json.dumps(judged[2]))
    content["confusions"][0]["examples"][0]["title"] = "<script>alert(1)</script>"
    page, data = label_judgement(content, tmp_path / "out", names=default().names, language=language)
    text = page.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.seen
    assert text.count("<svg") == 2
    assert "&lt;script&gt;" in text
    assert json.loads(data.read_text(encoding="utf-8"))["rows"] == content["rows"]


@pytest.mark.parametrize(("language", "word"), [("vi", "Giới hạn"), ("en", "Limits")])
def test_a_card_is_readable_in_both_languages(models, language, word):
    """The card names every field with its F1 and says the limits, in the language asked for."""
    version = registry.current(models, "fields")
    card = registry.card(models, "fields", version)
    text = model_card(card, language)
    assert f"## {word}" in text
    for code in card["labels"]:
        assert default().names[code] in text


def test_a_starter_of_another_program_is_learnt_again(tmp_path, monkeypatch):
    """A starter that this program cannot read is replaced by itself; one that people taught is not."""
    fitted = {}

    def train(root, batch, taxonomy, **how):
        fitted["again"] = True
        raise GateRefused("learnt")

    card = {"features": 1, "normalize": normalize.VERSION, "taxonomy": default().version}
    old = registry.save(tmp_path, "fields", {}, {**card, "data": {"files": ["archive.csv", "labelled.csv"]}})
    registry.promote(tmp_path, "fields", old)
    monkeypatch.setattr(starter, "train_fields", train)
    with pytest.raises(GateRefused, match="learnt"):
        starter.fields(tmp_path, default())
    taught = registry.save(tmp_path, "fields", {}, {**card, "data": {"files": ["ours.xlsx"]}})
    registry.promote(tmp_path, "fields", taught)
    with pytest.raises((GateRefused, KeyError)) as refused:
        starter.fields(tmp_path, default())
    assert "learnt" not in str(refused.value)
