"""Disguised copies are found: what each cheat may cost, and what honest records may not be told of."""

from __future__ import annotations

import importlib.util
import random
import statistics
import sys
import unicodedata

import pytest

from pipeline import normalize
from pipeline.settings import checkout


def load():
    """The benchmark as a module: it is a script, and of no package."""
    spec = importlib.util.spec_from_file_location("evasion", checkout("benchmarks", "evasion.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


evasion = load()
HALF_AMONG_NEW = {"quoted": 0.9}
"""What lies on the border of a partial copy may be missed a little more often."""

HONEST_SHARE = 0.05
"""Records that nobody compared before may tell of one idea: some do."""

HIDING = [name for name, cheat in evasion.CHEATS.items() if cheat.hides]


@pytest.fixture(scope="module")
def trials(models):
    """The suite over the sample, with the starter's pair model."""
    return evasion.suite(models)


@pytest.fixture(scope="module")
def caught(trials):
    """What became of every cheat."""
    return {name: trials.trial(name) for name in evasion.CHEATS}


@pytest.mark.slow
@pytest.mark.parametrize("name", evasion.CHEATS)
def test_a_cheat_is_found(caught, name):
    """Of the copies that a cheat disguises, 95 in 100 are found with their sources."""
    least = HALF_AMONG_NEW.get(name, evasion.TARGET_LEAST)
    assert caught[name].recall >= least, sorted(caught[name].missed)


@pytest.mark.slow
def test_cheats_are_found_on_average(caught):
    """Over all cheats 99 copies in 100 are found."""
    assert statistics.fmean(each.recall for each in caught.values()) >= evasion.TARGET_MEAN


@pytest.mark.slow
def test_cheats_make_no_false_pairs(caught, trials):
    """Of all that a disguised record could be joined with wrongly, at most one in two hundred is."""
    false = sum(len(each.false) for each in caught.values())
    assert false <= evasion.TARGET_FALSE * len(caught) * len(trials.sources) * len(trials.archive)


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDING)
def test_hidden_characters_are_flagged(caught, name):
    """Whoever reads a record with hidden characters or mixed alphabets is told."""
    each = caught[name]
    assert len(each.unnoticed) <= (1 - evasion.TARGET_FLAGGED) * len(each.changed), sorted(each.unnoticed)


@pytest.mark.slow
def test_honest_records_pass(trials):
    """Of two hundred honest records hardly any is called a duplicate, and none is said to hide anything."""
    passed = trials.clean()
    assert passed.records == evasion.CLEAN
    assert len(passed.matched) <= HONEST_SHARE * evasion.CLEAN, sorted(passed.matched)
    assert not passed.flagged


def test_the_suite_is_wide():
    """There are more than three dozen cheats, and each says what it does in its own words."""
    assert len(evasion.CHEATS) >= 36
    assert len({cheat.does for cheat in evasion.CHEATS.values()}) == len(evasion.CHEATS)


@pytest.mark.parametrize("name", [name for name in evasion.CHEATS if name != "none"])
def test_a_cheat_changes_records_and_always_the_same_way(trials, name):
    """Every cheat changes a third of the records or more, and a seed always gives the same texts."""
    made = trials.disguised(name)
    assert made == trials.disguised(name)
    untouched = sum(filing == trials.filings[key.partition("-")[2]] for key, (filing, _) in made.items())
    assert untouched <= 2 / 3 * len(made)


@pytest.mark.parametrize("name", ["tcvn3", "vni", "mojibake"])
def test_old_encodings_are_written_as_their_fonts_had_them(name):
    """A known line in each encoding, as it looks when it is read as windows-1252."""
    expected = {
        "tcvn3": "S¸ng kiÕn c¶i tiÕn §­êng",
        "vni": "Saùng kieán caûi tieán Ñöôøng",
        "mojibake": "SÃ¡ng kiáº¿n cáº£i tiáº¿n Ä\x90Æ°á»\x9dng",
    }
    assert getattr(evasion, name)("Sáng kiến cải tiến Đường", random.Random(1)) == expected[name]


def test_cheats_that_only_a_machine_sees_leave_what_is_read():
    """Hidden characters taken out again, a text is what it was."""
    text, draw = "Cải tiến máy ép nhựa.\nGiảm 30 % phế phẩm.", random.Random(5)
    for name in ("zwsp", "mixed_hidden", "tags", "braille_blank", "bidi_marks", "nfd"):
        made = evasion.CHEATS[name].apply(evasion.Filing("", text), None, draw)[0].description
        seen = "".join(
            c
            for c in made
            if c.isspace()
            or normalize.fold(c)
            or c in ".%"
            or c in "\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
        )
        assert unicodedata.normalize("NFC", seen) == text, name
