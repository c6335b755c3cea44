"""What a pair's figures mean: against slow versions with sets, and planted on texts of a few words."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import normalize, starter
from pipeline.dedupe import NAMES, features, form_shingles, headings, lexicon
from pipeline.dedupe.join import Frequencies
from pipeline.dedupe.shingles import fingerprint
from pipeline.dedupe.syllables import syllables

WORDS = ("an", "bình", "cao", "dung", "em", "gà")
TEXT = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
LONG = st.lists(st.sampled_from(WORDS), min_size=8, max_size=25).map(" ".join)
FORM = st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=5).map(" ".join), max_size=2)
NOBODY = (np.zeros(0, np.int64), np.zeros(0, np.int64))
UNHEADED = headings([])
TOTAL = 1000
DOCUMENTS = {"an": 700, "bình": 300, "cao": 60, "dung": 8, "em": 1}
"""The words of `WORDS` from common to rare; the last one is not known."""
DRAWN = np.random.default_rng(5).normal(size=(len(DOCUMENTS), 4)).astype(np.float32)
KNOWN = lexicon(list(DOCUMENTS), np.array(list(DOCUMENTS.values())), TOTAL, DRAWN, np.zeros((0, 4)))
PLAIN = lexicon([], np.zeros(0, np.int64), TOTAL, np.zeros((0, 2), np.float32), np.zeros((0, 2)))
"""No word known: every one is as rare as can be."""


def rows(*texts):
    """Records without a title."""
    return [("", text) for text in texts]


def counted(texts, *, records=None):
    """In how many of the texts each shingle stands."""
    marks = fingerprint([f"{title}\n{text}" for title, text in texts])
    sets = [set(part.tolist()) for part in np.split(marks.shingles, marks.bounds[1:-1])]
    seen = Counter(shingle for each in sets[: len(texts)] for shingle in each)
    hashes = np.array(sorted(seen), dtype=np.uint64)
    counts = np.array([seen[shingle] for shingle in hashes.tolist()], dtype=np.int32)
    return Frequencies(records or len(texts), hashes, counts)


def sides(texts, *, form=(), known=KNOWN, table=UNHEADED, records=None):
    """The numbers of records, each a title and a description."""
    return numbers(texts, counted(texts, records=records), form_shingles(form), known, table)


def numbers(texts, frequencies, form, known, table):
    """The same with the frequencies given."""
    cut = syllables(texts, table)
    return features.sides(cut, features.spoken(cut, form, known), frequencies, form, known)


def measure(found, one, other, near=NOBODY):
    """The figures of pairs of rows, by name."""
    alike = features.measure(found, np.asarray(one), np.asarray(other), near)
    return dict(zip(NAMES, alike.T, strict=True))


def pair(one, other, **more):
    """The figures of two texts among themselves."""
    return {
        name: float(value[0]) for name, value in measure(sides(rows(one, other), **more), [1], [0]).items()
    }


def every_pair(count):
    """All pairs of rows, the later named first."""
    pairs = [(one, other) for one in range(count) for other in range(one)]
    return tuple(np.array([each[side] for each in pairs], dtype=np.int64) for side in (0, 1))


# --------------------------------------------------------------------------------- against slow versions


@dataclass
class Slow:
    """The figures as one would write them first: sets, counts and loops."""

    texts: list[str]
    form: set[int]

    def __post_init__(self):
        self.cut = [text.split() for text in self.texts]
        self.shingles = [fingerprint([text]).shingles.tolist() for text in self.texts]
        self.df = Counter(shingle for each in self.shingles for shingle in set(each))

    def rarity(self, word):
        """How rare a word is in the public text."""
        return math.log((TOTAL + 1) / DOCUMENTS.get(word, 1))

    def worth(self, row):
        """What each shingle of a text that counts weighs."""
        found = {}
        for place, shingle in enumerate(self.shingles[row]):
            if shingle in self.form:
                continue
            df, count = self.df[shingle], len(self.texts)
            fade = 1.0 if df <= 3 else max(1 - df / count, 0.01)
            rarity = sum(map(self.rarity, self.cut[row][place : place + 3])) / 3
            found[shingle] = math.log(1001 / df) * fade * min(max((rarity - 2) / 1.3, 0.1), 3.0)
        return found

    def content(self, row):
        """The words that some shingle which is no form text reaches over, by place."""
        places = set()
        for place, shingle in enumerate(self.shingles[row]):
            if shingle not in self.form:
                places |= set(range(place, min(place + 3, len(self.cut[row]))))
        return [word if place in places else None for place, word in enumerate(self.cut[row])]

    def share(self, one, other):
        """Shared weight of the lighter one's."""
        mine, yours = self.worth(one), self.worth(other)
        shared = sum(mine[shingle] for shingle in mine.keys() & yours.keys())
        share = shared / max(min(sum(mine.values()), sum(yours.values())), 5 * math.log(1001))
        plain = self.plain(one, other)
        return max(share, plain) if plain >= 0.6 else share

    def plain(self, one, other):
        """Shared shingles of the shorter one's, without form text."""
        mine, yours = set(self.worth(one)), set(self.worth(other))
        return len(mine & yours) / max(min(len(mine), len(yours)), 10)

    def stock(self, one, other):
        """Shared shingles of the shorter one's, less those that count."""
        mine, yours = set(self.shingles[one]), set(self.shingles[other])
        return len(mine & yours) / max(min(len(mine), len(yours)), 10) - self.plain(one, other)

    def cosine(self, one, other, weights):
        """The cosine of two texts whose things weigh what is said."""
        mine, yours = weights(one), weights(other)
        product = sum(weight * yours.get(name, 0) for name, weight in mine.items())
        lengths = [math.sqrt(sum(weight**2 for weight in side.values())) for side in (mine, yours)]
        return product / math.prod(lengths) if all(lengths) else 0.0

    def words(self, row):
        """The words of a text with what each weighs."""
        return {word: max(self.rarity(word) - 1, 0) for word in self.content(row) if word}

    def compounds(self, row):
        """Pairs of neighbours with what each weighs."""
        said = self.content(row)
        return {
            (one, other): max(self.rarity(one) + self.rarity(other) - 2, 0)
            for one, other in itertools.pairwise(said)
            if one and other
        }


@settings(max_examples=80)
@given(texts=st.lists(st.one_of(TEXT, LONG), min_size=2, max_size=7), phrases=FORM)
def test_the_figures_are_those_of_a_slow_version(texts, phrases):
    """Shares, words and compounds are what sets and sums give, for every pair."""
    slow = Slow(texts, set(form_shingles(phrases).tolist()))
    # All words are taken as written with marks, as a text with one marked word in five is.
    marked = [f"{text} gà" for text in texts]
    slow = Slow(marked, slow.form)
    one, other = every_pair(len(texts))
    found = sides(rows(*marked), form=phrases)
    alike = measure(found, one, other)
    both = list(zip(one.tolist(), other.tolist(), strict=True))
    assert alike["share"].tolist() == pytest.approx([slow.share(*each) for each in both], rel=1e-5, abs=1e-9)
    assert alike["plain"].tolist() == pytest.approx([slow.plain(*each) for each in both])
    assert alike["form"].tolist() == pytest.approx([slow.stock(*each) for each in both])
    compounds = [min(slow.cosine(*each, slow.compounds), 0.15) for each in both]
    assert alike["compounds"].tolist() == pytest.approx(compounds, rel=1e-5, abs=1e-7)
    assert alike["records"].tolist() == [len(texts)] * len(both)
    written = found.marked[one] & found.marked[other]
    words = np.array([slow.cosine(*each, slow.words) for each in both])
    assert alike["words"][written].tolist() == pytest.approx(words[written].tolist(), rel=1e-5, abs=1e-7)


@settings(max_examples=50)
@given(texts=st.lists(TEXT, min_size=2, max_size=8), phrases=FORM)
def test_resemblance_has_no_direction(texts, phrases):
    """Whichever of two is named first: the same figures, all between their bounds."""
    one, other = every_pair(len(texts))
    near = (np.concatenate((one, other)), np.concatenate((other, one)))
    found = sides(rows(*texts), form=phrases)
    alike, turned = measure(found, one, other, near), measure(found, other, one, near)
    for name in NAMES:
        assert alike[name].tolist() == turned[name].tolist(), name
    for name in ("share", "plain", "words", "compounds"):
        assert ((alike[name] >= 0) & (alike[name] <= 1 + 1e-9)).all(), name
    for name in ("meaning", "words_ahead", "words_behind"):
        assert (np.abs(alike[name]) <= 1 + 1e-6).all(), name
    assert (alike["words_ahead"] <= alike["words_behind"]).all()


@settings(max_examples=50)
@given(texts=st.lists(TEXT, min_size=2, max_size=6), more=st.lists(TEXT, max_size=4), phrases=FORM)
def test_figures_of_a_pair_do_not_depend_on_who_else_is_looked_at(texts, more, phrases):
    """With the same frequencies a pair's own figures are the same, whichever other records stand beside."""
    every = rows(*texts, *more)
    frequencies, form = counted(every), form_shingles(phrases)
    one, other = every_pair(len(texts))
    few, many = (
        measure(numbers(each, frequencies, form, KNOWN, UNHEADED), one, other)
        for each in (every[: len(texts)], every)
    )
    for name in NAMES:
        assert few[name].tolist() == pytest.approx(many[name].tolist(), abs=1e-6), name


# ----------------------------------------------------------------------------------------- the margins


def rival(alike, near, row, partner):
    """The words of the best other record among those near a row that is no copy of it."""
    others = [
        alike["words"][frozenset((row, other))]
        for other in near[row]
        if other != partner
        and alike["share"][frozenset((row, other))] < 0.5
        and alike["words"][frozenset((row, other))] < 0.7
    ]
    return max(others, default=0.0)


@settings(max_examples=80)
@given(texts=st.lists(LONG, min_size=3, max_size=8), data=st.data())
def test_margins_are_those_of_a_slow_version(texts, data):
    """A pair is ahead of the best one near either record, copies of that record left out."""
    count = len(texts)
    found = sides(rows(*texts))
    one, other = every_pair(count)
    plain = measure(found, one, other)
    both = [frozenset(each) for each in zip(one.tolist(), other.tolist(), strict=True)]
    alike = {name: dict(zip(both, plain[name].tolist(), strict=True)) for name in ("share", "words")}
    near = {
        row: data.draw(
            st.lists(st.sampled_from([at for at in range(count) if at != row]), unique=True, max_size=3)
        )
        for row in range(count)
    }
    flat = [(row, each) for row, others in near.items() for each in others]
    pairs = tuple(np.array([each[side] for each in flat], dtype=np.int64) for side in (0, 1))
    margins = measure(found, one, other, pairs)
    ahead = [
        sorted(words - rival(alike, near, *way) for way in ((mine, yours), (yours, mine)))
        for mine, yours, words in zip(one.tolist(), other.tolist(), plain["words"].tolist(), strict=True)
    ]
    assert margins["words_ahead"].tolist() == pytest.approx([low for low, _ in ahead], abs=1e-9)
    assert margins["words_behind"].tolist() == pytest.approx([high for _, high in ahead], abs=1e-9)


def test_copies_of_a_source_are_no_rivals():
    """Of ten mistyped copies of one text none stands in the way of another, as a stranger does."""
    chance = random.Random(2)
    vocabulary = [a + b for a in "bcdghklm" for b in ("á", "ò", "ị", "ún", "ánh", "ẻ", "ôn", "ươi")]
    source = chance.sample(vocabulary, 50)
    copies = []
    for number in range(10):
        copy = list(source)
        for at in chance.sample(range(50), 3):
            copy[at] = f"{copy[at]}q{number}"
        copies.append(" ".join(copy))
    found = sides(rows(*copies), known=PLAIN)
    one, other = every_pair(10)
    near = (np.concatenate((one, other)), np.concatenate((other, one)))
    alike = measure(found, one, other, near)
    assert alike["words_ahead"].tolist() == alike["words"].tolist()
    stranger = " ".join(source[:15] + [f"riêng{number}" for number in range(20)])
    found = sides(rows(*copies[:2], stranger), known=PLAIN)
    near = (np.array([0, 0, 1, 1]), np.array([1, 2, 0, 2]))
    alike = measure(found, [1], [0], near)
    assert 0 < alike["words_ahead"][0] < alike["words"][0]


# ------------------------------------------------------------------------------------- planted on texts

OWN = "ép nhựa bằng khuôn gỗ tự chế rồi sấy khô qua đêm trong tủ kín có quạt thổi đều bốn phía"
OTHER = "trẻ học chữ cái nhờ thẻ tranh do cô giáo vẽ cùng phụ huynh vào mỗi chiều thứ sáu hằng tuần"
SENTENCE = "Tôi xin cam đoan những thông tin nêu trên là trung thực và đúng sự thật"


@given(text=st.permutations(OWN.split()).map(" ".join))
def test_a_text_is_all_of_itself(text):
    """Two equal texts share all they have: passages, words and meaning."""
    alike = pair(text, text, known=starter_lexicon())
    assert [alike[name] for name in ("share", "plain", "words", "meaning")] == pytest.approx(
        [1] * 4, abs=1e-5
    )
    assert alike["form"] == pytest.approx(0)


LEXICON = []


def starter_lexicon():
    """The shipped lexicon, read once."""
    if not LEXICON:
        LEXICON.append(starter.lexicon())
    return LEXICON[0]


def test_strangers_share_nothing():
    """Texts without a common word have no figure above zero but that of meaning."""
    alike = pair(OWN, OTHER, known=PLAIN)
    assert [alike[name] for name in ("share", "plain", "form", "words", "compounds")] == [0] * 5


def test_form_text_counts_as_form_only():
    """A sentence known to be form text is no passage in common; of its words only those at its border are."""
    one, other = f"{SENTENCE}. {OWN}", f"{SENTENCE}. {OTHER}"
    alike = pair(one, other, form=[SENTENCE], known=PLAIN)
    assert alike["share"] == alike["plain"] == 0
    assert alike["form"] > 0.2
    unnamed = pair(one, other, known=PLAIN)
    assert min(unnamed["share"], unnamed["plain"]) > 0.2
    # A passage of three syllables that begins inside the sentence still reaches its last two words.
    assert alike["words"] <= 2 / len(OTHER.split())
    assert unnamed["words"] > 4 * alike["words"]


def test_the_form_of_a_sheet_counts_as_form_only():
    """What stands under a heading of the form itself is no content, wherever both have it."""
    table = headings([("Kính gửi", "form"), ("Nội dung giải pháp", "solution")])
    letter = "Kính gửi: hội đồng sáng kiến công ty cấp nước tỉnh nhà\nNội dung giải pháp:\n"
    with_table = pair(f"{letter}{OWN}", f"{letter}{OTHER}", known=PLAIN, table=table)
    without = pair(f"{letter}{OWN}", f"{letter}{OTHER}", known=PLAIN)
    assert with_table["share"] < without["share"]
    assert with_table["words"] < without["words"]


def test_the_solution_weighs_more_than_the_rest():
    """Words in common under the solution make texts more alike than the same under the background."""
    table = headings([("Thực trạng", "background"), ("Nội dung giải pháp", "solution")])
    parts = [f"riêng{number} việc{number} khác{number}" for number in range(8)]
    own, strange = " ".join(parts[:4]), " ".join(parts[4:])

    def told(background, solution):
        return f"Thực trạng:\n{background}\nNội dung giải pháp:\n{solution}"

    solved = pair(told(own, OWN), told(strange, OWN), known=PLAIN, table=table)
    lamented = pair(told(OWN, own), told(OWN, strange), known=PLAIN, table=table)
    assert solved["words"] > lamented["words"] > 0


def test_numbers_are_no_words():
    """Numbers in common make no words, compounds or meaning; other numbers take none away."""
    figures = "12 500 2024 38 7 64 150 99"
    alike = pair(f"{OWN} {figures}", f"{OTHER} {figures}", known=PLAIN)
    assert alike["words"] == alike["compounds"] == alike["meaning"] == 0
    changed = pair(f"{OWN} {figures}", f"{OWN} 1 2 3 4 5 6 7 8", known=starter_lexicon())
    assert changed["words"] == pytest.approx(1)
    assert changed["meaning"] == pytest.approx(1, abs=1e-5)


def test_a_text_without_marks_is_compared_without_marks():
    """Bared of its marks a text still has the words of its source; between marked texts the marks count."""
    known = starter_lexicon()
    assert pair(OWN, normalize.fold(OWN), known=known)["words"] == pytest.approx(1, abs=1e-5)
    assert pair(normalize.fold(OWN), normalize.fold(OWN), known=known)["words"] == pytest.approx(1, abs=1e-5)
    marked = ("bán mận lồng đá cổ", "bạn mặn lòng da cò")
    assert normalize.fold(marked[0]) == normalize.fold(marked[1])
    assert pair(*marked, known=PLAIN)["words"] == 0


def test_synonyms_are_words_in_common():
    """Two texts that say a thing with synonyms only have it in common."""
    synonyms = [["bệnh nhân", "người ốm"], ["rút ngắn", "giảm bớt"]]
    known = lexicon(
        [], np.zeros(0, np.int64), TOTAL, np.zeros((0, 2), np.float32), np.zeros((0, 2)), synonyms
    )
    one, other = "rút ngắn chờ của bệnh nhân", "giảm bớt đợi cho người ốm"
    assert pair(one, other, known=PLAIN)["words"] == 0
    assert pair(one, other, known=known)["words"] > 0


@pytest.mark.parametrize("count", [300, 9_999, 10_000, 2_000_000])
def test_a_copied_half_is_half(count):
    """A text of which half stands in another shares about half, in a file of any size."""
    syllables = [a + b for a in "bcdghklmnt" for b in ("á", "ò", "ị", "ún", "ánh", "ẻ")]
    half, rest = " ".join(syllables[:30]), " ".join(syllables[30:])
    longer = " ".join(f"lạ{name}" for name in syllables)
    alike = measure(sides(rows(f"{half} {rest}", f"{half} {longer}"), known=PLAIN, records=count), [1], [0])
    assert alike["share"][0] == pytest.approx(0.5, abs=0.05)
    assert alike["records"][0] == count


def test_a_passage_of_everybodys_words_says_little_in_a_small_file():
    """The same long passage counts less if it is made of words that stand in every text."""
    plain = "nếu có thể thì cần phải làm cho tất cả những việc này được tốt hơn so với các năm trước đó"
    known = starter_lexicon()
    common, telling = (
        pair(f"{passage} {OTHER}", f"{passage} khoan giếng lọc phèn bằng sỏi cát than hoạt tính", known=known)
        for passage in (plain, OWN)
    )
    assert common["share"] < telling["share"]


# --------------------------------------------------------------------------------------------- the runs


def obvious_run(mine, yours, form):
    """The longest streak of a text's shingles that stand in the other and are not form text."""
    best = streak = 0
    for shingle in mine:
        streak = streak + 1 if shingle in set(yours) - form else 0
        best = max(best, streak)
    return best


@settings(max_examples=50)
@given(texts=st.lists(TEXT, min_size=2, max_size=8), phrases=FORM)
def test_longest_run_is_the_obvious_one(texts, phrases):
    """A longest run is the longest streak of a text's shingles that the other holds, the shorter of both."""
    form = set(form_shingles(phrases).tolist())
    cut = [fingerprint([text]).shingles.tolist() for text in texts]
    pairs = [(one, other) for one in range(len(texts)) for other in range(len(texts))]
    one, other = (np.array([each[side] for each in pairs]) for side in (0, 1))
    wanted = [
        min(obvious_run(cut[mine], cut[yours], form), obvious_run(cut[yours], cut[mine], form))
        for mine, yours in pairs
    ]
    assert features.longest_run(sides(rows(*texts), form=phrases), one, other).tolist() == wanted


def test_no_pair_is_no_accident():
    """Of no pairs, and of no records, there are no figures."""
    nothing = np.zeros(0, np.int64)
    assert features.measure(sides(rows(OWN)), nothing, nothing, NOBODY).shape == (0, len(NAMES))
    empty = numbers([], counted([]), form_shingles([]), KNOWN, UNHEADED)
    assert features.measure(empty, nothing, nothing, NOBODY).shape == (0, len(NAMES))
    assert len(features.longest_run(empty, nothing, nothing)) == 0
