"""Words and meanings: cut as the shingles are, told apart by marks, weighed by a lexicon."""

from __future__ import annotations

import itertools
import math
import random
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import normalize, starter
from pipeline.dedupe import wording
from pipeline.dedupe.shingles import CHUNK, fingerprint
from pipeline.dedupe.wording import LONGEST, lexicon, mean_vectors, meanings, phrase_hashes, words
from pipeline.settings import checkout

WORDS = (
    *(
        "sáng",
        "kiến",
        "cải",
        "tiến",
        "máy",
        "ép",
        "nhựa",
        "Đường",
        "thuỷ",
        "HOÀ",
        "25",
        "m²",
        "3A",
        "²",
        "２",
    ),
    *("🙂", "–", "…", "(a)", "&", "", "\n", "漢字", "\ud800", "e\u0301", "\u0301", "ﬁ", "\u200b", "a\u200bb"),
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
ANY = st.one_of(TEXTS, st.text(max_size=40))
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
AS_WRITTEN = st.lists(st.sampled_from(WORDS[:15]), max_size=20).map(" ".join)

FEW = ("an", "bình", "cao")
PHRASES = st.lists(st.sampled_from(FEW), min_size=1, max_size=LONGEST).map(" ".join)
"""Phrases of three syllables only, so that they lie over one another."""


def composed(text):
    """The text with each letter and its marks in one code point."""
    return unicodedata.normalize("NFC", text)


def no_lexicon(synonyms=()):
    """A lexicon without any syllable."""
    return lexicon([], np.zeros(0, np.int64), 1000, np.zeros((0, 2), np.float32), np.zeros((0, 2)), synonyms)


def little_lexicon(documents, total=1000, *, dimensions=4):
    """A lexicon of the given syllables, with random vectors and nothing that texts share."""
    drawn = np.random.default_rng(3).normal(size=(len(documents), dimensions)).astype(np.float32)
    nothing = np.zeros((0, dimensions), np.float32)
    return lexicon(list(documents), np.array(list(documents.values())), total, drawn, nothing)


# ------------------------------------------------------------------------------------------------ words


@given(texts=st.lists(ANY, max_size=8))
@example(texts=["", "một", "", "\u0301", "\u0301 dấu lạc"])
def test_words_are_cut_as_the_shingles_are(texts):
    """Of whatever text there are as many words as folded syllables, so that both can be laid side by side."""
    found, marks = words(texts), fingerprint(texts)
    assert found.starts.tolist() == marks.starts.tolist()
    assert len(found.hashes) == len(found.number) == len(found.marked) == len(marks.syllables)


@given(texts=st.lists(ANY, max_size=8))
def test_a_text_is_read_as_if_it_were_alone(texts):
    """The words of a text do not depend on the texts beside it."""
    together = words(texts)
    for place, text in enumerate(texts):
        alone = words([text])
        mine = slice(together.starts[place], together.starts[place + 1])
        for name in ("hashes", "number", "marked"):
            assert getattr(together, name)[mine].tolist() == getattr(alone, name).tolist()


def test_long_texts_are_read_as_short_ones():
    """Where texts are too long to be read at once, the words are still those of each text."""
    text = "Cải tiến máy ép nhựa số 25 "
    many = [text * count for count in (1, CHUNK // 20, 3, CHUNK // 40, 0, 2)]
    found, once = words(many), words([text])
    for place, start, stop in zip(range(len(many)), found.starts, found.starts[1:], strict=False):
        assert found.hashes[start:stop].tolist() == once.hashes.tolist() * (len(many[place]) // len(text))


@given(text=AS_WRITTEN, rewrite=st.sampled_from([str.upper, str.lower, lambda text: f"“{text}”…"]))
def test_case_and_signs_change_no_word(text, rewrite):
    """In capitals or in quotes: the same words."""
    assert words([text]).hashes.tolist() == words([rewrite(text)]).hashes.tolist()


@given(text=AS_WRITTEN)
def test_cleaning_joins_what_is_decomposed(text):
    """Once cleaned, a decomposed text has the words of a composed one."""
    one, other = (normalize.clean(unicodedata.normalize(form, text)).text for form in ("NFC", "NFD"))
    assert words([one]).hashes.tolist() == words([other]).hashes.tolist()


@pytest.mark.parametrize("tone", TONES[1:], ids=["grave", "acute", "tilde", "hook", "dot"])
@pytest.mark.parametrize("pair", ["oa", "oe", "uy", "ua", "ia", "ươ"])
def test_a_tone_may_stand_on_either_vowel(pair, tone):
    """``hoà`` and ``hòa`` are one word, of whatever two vowels and tone."""
    first, last = composed(f"h{pair[0]}{tone}{pair[1]}"), composed(f"h{pair}{tone}")
    assert first != last
    assert words([first]).hashes.tolist() == words([last]).hashes.tolist()


def test_marks_make_other_words():
    """Every vowel with every tone, and đ beside d, is a word of its own."""
    syllables = [composed(f"b{vowel}{tone}n") for vowel in "aăâeêioôơuưy" for tone in TONES] + ["đa", "da"]
    assert len(set(words(syllables).hashes.tolist())) == len(syllables)


def test_the_order_of_letters_makes_other_words():
    """Words of the same letters in another order are others."""
    syllables = ["".join(letters) for letters in itertools.permutations("nhan")]
    assert len(set(words(syllables).hashes.tolist())) == len(set(syllables))


@given(text=st.lists(st.sampled_from(WORDS[:15]), max_size=20).map(" ".join))
def test_numbers_begin_with_a_digit_and_marked_words_bear_a_mark(text):
    """A word is a number where its folded syllable begins with a digit, marked where folding loses a mark."""
    found = words([text])
    folded = normalize.fold(text).split()
    assert found.number.tolist() == [syllable[0].isdigit() for syllable in folded]
    kept = ["".join(c for c in word if c.isalnum()).lower() for word in text.split()]
    letters = [unicodedata.normalize("NFKC", word) for word in kept if word]
    assert found.marked.tolist() == [word != bare for word, bare in zip(letters, folded, strict=True)]


# --------------------------------------------------------------------------------- phrases and meanings


@given(phrases=st.lists(st.lists(st.sampled_from(FEW), max_size=LONGEST + 2), min_size=1, max_size=12))
def test_phrases_are_equal_where_their_syllables_are(phrases):
    """Two phrases have one hash exactly where they are the same syllables in one order; too long is 0."""
    hashes = phrase_hashes([" ".join(phrase) for phrase in phrases]).tolist()
    for phrase, value in zip(phrases, hashes, strict=True):
        assert (value == 0) == (not 1 <= len(phrase) <= LONGEST)
    for (one, mine), (other, yours) in itertools.combinations(zip(phrases, hashes, strict=True), 2):
        if mine and yours:
            assert (mine == yours) == (one == other)


def slow_meanings(texts, counts, groups):
    """The group of each phrase taken, by its first syllable's place: longest first, then from the left."""
    group_of = {}
    for number, group in enumerate(groups):
        for phrase in group:
            group_of.setdefault(tuple(phrase.split()), number)
    free, taken, start = list(counts), {}, 0
    spans = []
    for text in texts:
        spans.append((start, text.split()))
        start += len(text.split())
    for width in range(LONGEST, 0, -1):
        for begin, syllables in spans:
            for at in range(len(syllables) - width + 1):
                here = range(begin + at, begin + at + width)
                phrase = tuple(syllables[at : at + width])
                if phrase in group_of and all(free[place] for place in here):
                    taken[begin + at] = group_of[phrase]
                    for place in here:
                        free[place] = False
    return taken


@settings(max_examples=200)
@given(
    texts=st.lists(st.lists(st.sampled_from(FEW), max_size=9).map(" ".join), max_size=4),
    groups=st.lists(st.lists(PHRASES, min_size=1, max_size=3), max_size=4),
    data=st.data(),
)
def test_meanings_are_those_of_a_slow_reader(texts, groups, data):
    """The longest phrase counts, then the one further left; no syllable twice, none that does not count."""
    found = words(texts)
    size = len(found.hashes)
    counts = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    concepts, places = meanings(found, np.array(counts, dtype=bool), no_lexicon(groups))
    wanted = slow_meanings(texts, counts, groups)
    assert sorted(places.tolist()) == sorted(wanted)
    for (place, concept), (at, other) in itertools.combinations(
        zip(places.tolist(), concepts.tolist(), strict=True), 2
    ):
        assert (concept == other) == (wanted[place] == wanted[at])


def test_synonyms_mean_the_same():
    """Texts that say one thing in other words, phrases of different lengths, have one meaning in common."""
    known = no_lexicon([["bệnh nhân", "người bệnh", "người ốm"], ["giảm", "hạ"]])
    found = words(["giúp bệnh nhân", "cho NGƯỜI ỐM", "hạ giá"])
    concepts, places = meanings(found, np.ones(len(found.hashes), dtype=bool), known)
    assert places.tolist() == [1, 4, 6]
    assert concepts[0] == concepts[1] != concepts[2]


def test_of_a_phrase_in_two_groups_the_first_counts():
    """A phrase named twice means what its first group means."""
    known = no_lexicon([["máy ép", "máy nén"], ["máy bơm", "máy ép"]])
    found = words(["máy ép", "máy nén", "máy bơm"])
    concepts, _ = meanings(found, np.ones(6, dtype=bool), known)
    assert concepts[0] == concepts[1] != concepts[2]


# -------------------------------------------------------------------------------------------- the lexicon


def test_rarity_is_the_logarithm_of_the_share():
    """A syllable of d in N documents is as rare as ln((N + 1) / d); an unknown one is rarer than all."""
    documents = {"an": 500, "bình": 20, "máy": 1}
    known = little_lexicon(documents, 999)
    found = known.rarities(words(["an bình máy xyz", "An"]).hashes)
    rare = [math.log(1000 / documents.get(name, 1)) for name in ("an", "bình", "máy", "xyz", "an")]
    assert found.tolist() == pytest.approx(rare, rel=1e-6)
    assert known.rarity.unknown == pytest.approx(math.log(1000))


def test_an_empty_lexicon_knows_nothing():
    """Without syllables every one is unknown, every mean is nothing, and no phrase has a meaning."""
    known = no_lexicon()
    found = words(["cải tiến máy"])
    assert known.rarities(found.hashes).tolist() == pytest.approx([known.rarity.unknown] * 3)
    folded = fingerprint(["cải tiến"]).syllables.astype(np.uint64)
    assert known.folded_rarities(folded).tolist() == pytest.approx([known.rarity.unknown] * 2)
    assert mean_vectors(["cải tiến máy"], known).tolist() == [[0.0, 0.0]]
    assert len(meanings(found, np.ones(3, dtype=bool), known)[0]) == 0


@pytest.mark.parametrize("order", [("của", "cuả"), ("cuả", "của")], ids=" ".join)
def test_of_two_spellings_the_commoner_counts(order):
    """A rare slip of the tone does not make a common word rare, in whatever order the two are listed."""
    documents = {"của": 900, "cuả": 2}
    known = little_lexicon({name: documents[name] for name in order})
    assert known.rarities(words(["của"]).hashes)[0] == pytest.approx(math.log(1001 / 900), rel=1e-6)
    assert known.rarity.places.hashes.tolist() == words(["của"]).hashes.tolist()


def test_a_folded_syllable_is_as_common_as_the_commonest_that_folds_to_it():
    """``ban`` is as common as the commonest of bán, bạn, bàn."""
    known = little_lexicon({"bán": 20, "bạn": 300, "bàn": 5})
    folded = known.folded_rarities(fingerprint(["ban"]).syllables.astype(np.uint64))
    assert folded[0] == pytest.approx(math.log(1001 / 300), rel=1e-6)


def test_what_is_no_syllable_is_left_out():
    """Nothing, a sign, or two syllables in a row of the table make no entry."""
    known = little_lexicon({"": 3, "–": 4, "an bình": 5, "máy": 6})
    assert known.rarity.places.hashes.tolist() == words(["máy"]).hashes.tolist()
    assert known.rarity.rarity.tolist() == pytest.approx([math.log(1001 / 6)], rel=1e-6)


# ------------------------------------------------------------------------------------------------- means

SYLLABLES = [first + last for first in "bcdghklmnt" for last in ("a", "e", "i", "o", "u", "an", "en", "in")]
KNOWN = little_lexicon({name: 1 + place for place, name in enumerate(SYLLABLES)}, 100)


@given(chosen=st.lists(st.sampled_from([*SYLLABLES[:20], "lạ", "25"]), max_size=12), data=st.data())
def test_a_mean_has_length_one_and_knows_no_order(chosen, data):
    """A mean is of length 1, or 0 if no word is known; order, repetition and numbers change nothing."""
    turned = data.draw(st.permutations(chosen))
    found = mean_vectors([" ".join(chosen), " ".join([*turned, *turned, "7"])], KNOWN)
    length = 1.0 if any(name in SYLLABLES for name in chosen) else 0.0
    assert np.linalg.norm(found, axis=1).tolist() == pytest.approx([length, length], abs=1e-5)
    assert found[0].tolist() == pytest.approx(found[1].tolist(), abs=1e-5)


def test_means_do_not_feel_the_borders_of_chunks():
    """Among so many texts that they are summed in parts, each has the mean it has alone, and a slow sum's."""
    chance = random.Random(4)
    texts = [" ".join(chance.sample(SYLLABLES, 40)) for _ in range(3000)]  # 120,000 syllables
    found = mean_vectors(texts, KNOWN)
    vector = {
        name: KNOWN.vectors[np.searchsorted(KNOWN.rarity.places.hashes, words([name]).hashes[0])]
        for name in SYLLABLES
    }
    for place in [*range(0, 3000, 300), *range(1630, 1645)]:
        assert found[place].tolist() == pytest.approx(
            mean_vectors([texts[place]], KNOWN)[0].tolist(), abs=1e-5
        )
        slow = np.sum([vector[name] for name in texts[place].split()], axis=0, dtype=np.float64)
        assert found[place].tolist() == pytest.approx((slow / np.linalg.norm(slow)).tolist(), abs=1e-4)


def test_what_all_texts_share_is_taken_out():
    """A mean has nothing in the directions that are called common."""
    drawn = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    common = np.array([[1, 0, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    known = lexicon(["an", "bình", "cao"], np.array([3, 5, 7]), 50, drawn, common)
    found = mean_vectors(["an bình", "cao an", "bình"], known)
    assert np.abs(found @ common.T).max() < 1e-6
    assert np.linalg.norm(found, axis=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_each_once_is_a_set_per_owner():
    """Of each owner every hash once, sorted by owner and hash."""
    hashes = np.array([5, 3, 5, 3, 3, 9], dtype=np.uint64)
    owner = np.array([1, 0, 1, 1, 0, 0])
    found = wording.each_once(hashes, owner)
    assert list(zip(found[1].tolist(), found[0].tolist(), strict=True)) == [(0, 3), (0, 9), (1, 3), (1, 5)]


# ---------------------------------------------------------------------------------- the table that travels


@pytest.fixture(scope="module")
def stored():
    """The numbers of the shipped lexicon, read without unpickling anything."""
    with np.load(checkout("data", "lexicon.npz"), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_the_shipped_lexicon_holds_single_syllables_only(stored):
    """It lists composed, lower-case, single syllables, sorted, each once: no passage of any text."""
    syllables = stored["syllables"].tolist()
    assert syllables == sorted(set(syllables))
    assert all(name == composed(name).lower() for name in syllables)
    assert (np.diff(words(syllables).starts) == 1).all()
    assert all(len(name.split()) == 1 and len(name) <= 21 for name in syllables)
    assert not any(name[0].isdigit() for name in syllables)


def test_the_shipped_lexicon_is_whole(stored):
    """Every syllable has a vector and a possible count; the common directions are orthonormal."""
    count = len(stored["syllables"])
    assert stored["documents"].shape == (count,)
    assert 1 <= stored["documents"].min() <= stored["documents"].max() <= stored["total"]
    assert stored["vectors"].shape[0] == count
    gram = stored["common"] @ stored["common"].T
    assert np.allclose(gram, np.eye(len(gram)), atol=1e-4)


def test_the_shipped_lexicon_knows_common_words_from_rare():
    """Words of every page are commoner than words of a trade, however their tone is placed."""
    known = starter.lexicon()
    names = ["của", "và", "máy", "nhựa", "hoà", "hòa"]
    rarity = dict(zip(names, known.rarities(words([" ".join(names)]).hashes), strict=True))
    assert rarity["của"] < rarity["máy"] < rarity["nhựa"] < known.rarity.unknown
    assert rarity["và"] < rarity["máy"]
    assert rarity["hoà"] == rarity["hòa"]


@given(
    known=st.sets(st.integers(0, (1 << 31) - 1), max_size=40),
    wanted=st.lists(st.integers(0, (1 << 31) - 1), max_size=20),
)
@example(known={5, 6, 7, (1 << 31) - 1}, wanted=[4, 5, 7, 8, (1 << 31) - 1])
def test_a_look_up_finds_what_a_binary_search_finds(known, wanted):
    """Looking up by the first bits finds exactly the hashes that are there, at their places."""
    hashes = np.array(sorted(known), dtype=np.uint64)
    asked = np.array([*wanted, *known], dtype=np.uint64)
    place, there = wording.lookup(hashes, bits=31)(asked)
    assert there.tolist() == [number in known for number in asked.tolist()]
    assert hashes[place[there]].tolist() == asked[there].tolist()


@given(hashes=st.lists(st.integers(0, (1 << 64) - 1), min_size=1), full=st.booleans())
@example(hashes=[0], full=False)
def test_a_code_keeps_its_word_and_is_never_nothing(hashes, full):
    """A word's code tells the word however it counts, and no code is 0, which stands for no word."""
    values = np.array(hashes, dtype=np.uint64)
    codes = wording.code(values, full=np.full(len(values), full))
    other = wording.code(values, full=np.full(len(values), not full))
    assert (wording.word_of(codes) == wording.word_of(other)).all()
    assert (codes != 0).all()
    assert ((codes & 1) == full).all()


def test_a_word_that_counts_by_half_weighs_half():
    """Rarity less what is ordinary, or half of that: what an everyday word has left is never negative."""
    hashes = words(["an bình máy xyz"]).hashes
    whole, half = (
        KNOWN.weights(wording.code(hashes, full=np.full(len(hashes), full))) for full in (True, False)
    )
    assert half.tolist() == pytest.approx((whole / 2).tolist())
    expected = np.maximum(KNOWN.rarities(hashes) - wording.ORDINARY, 0)
    assert whole.tolist() == pytest.approx(expected.tolist())
