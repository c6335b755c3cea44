"""The catalogue: every sentence that people can see has its Vietnamese, and none stands there for nothing.

Which sentences there are is read from the code. A *mouth* is a call whose argument is told to people: a
`Note`, an error, ``_("…")``. A function that hands its own parameter to a mouth is a mouth itself. What a
mouth is given must be words that can be found by reading: a text, a table of texts, a loop over texts. What
cannot be found fails the test, so no sentence gets past the catalogue unseen.
"""

from __future__ import annotations

import ast
import io
import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline import classify, errors, records, words
from pipeline.errors import Note
from pipeline.read import faults
from pipeline.report import wording

PACKAGE = Path(pipeline.__file__).parent
PO = PACKAGE / "locale" / "vi" / "LC_MESSAGES" / "sangkien.po"
AVOIDED = ("đạo văn", "sao chép")
"""Words that accuse; the program only says what is alike."""

NOT_TOLD = {"{header} (as submitted)"}
"""Names of columns in the outputs: the same in every language."""

VALUES = {"found", "advice"}
"""Values of an unreadable file's sentence that are words of ours: what it is, and what to do instead."""

RECEIVERS = {
    "Wording": frozenset({"_", "self"}),
    "Console": frozenset({"console", "tools", "self"}),
    "File": frozenset({"file"}),
    "Opened": frozenset({"file", "found", "self"}),
}
"""What an object with mouths is called where it is used, for others have methods of the same name."""

SAID = {"Note", "_"}
"""Calls that give words already heard, so that nothing is lost when those are handed on."""

TRANSLATORS = {"say", "translate", "str"}
"""What `Note.say` is given: the language, not a sentence."""


def kinds(base: type) -> Iterator[str]:
    """Every name in a tree of classes."""
    yield base.__name__
    for kind in base.__subclasses__():
        yield from kinds(kind)


def callee(call: ast.Call) -> tuple[str, str]:
    """The receiver's and the function's name in a call."""
    if isinstance(call.func, ast.Name):
        return "", call.func.id
    if isinstance(call.func, ast.Attribute):
        receiver = call.func.value
        return receiver.id if isinstance(receiver, ast.Name) else "?", call.func.attr
    return "?", "?"


def texts(value: object) -> Iterator[str]:
    """Every text in a value or table; of a mapping the values only, for its keys are codes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(texts, value.values()))
    elif isinstance(value, tuple | list):
        yield from chain.from_iterable(map(texts, value))


class UnseenError(Exception):
    """What is told cannot be made out by reading."""


@dataclass
class Scope:
    """A function, what its parameters are called, and the functions and the module around it."""

    module: ModuleType
    name: str = ""
    owner: str = ""
    parameters: list[str] = field(default_factory=list)
    body: ast.AST | None = None
    outer: Scope | None = None


@dataclass
class Mouth:
    """A function whose parameter ``keyword``, at ``position`` in a call, is told to people."""

    position: int | None
    keyword: str
    receivers: frozenset[str] = frozenset()


class Reader:
    """Reads every module and remembers which sentences it tells, and what it could not make out."""

    def __init__(self, root: Path, package: str) -> None:
        self.root = root
        self.mouths: dict[str, list[Mouth]] = {}
        for name in ("Note", "_", *kinds(errors.SangkienError)):
            self.mouths[name] = [Mouth(0, "template")]
        self.calls: list[tuple[ast.Call, Scope]] = []
        self.sources: list[tuple[Path, ast.Module]] = []
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[-1] == "__main__":
                continue
            dotted = ".".join((package, *(part for part in parts if part != "__init__")))
            tree = ast.parse(path.read_text(encoding="utf-8"))
            self.sources.append((path, tree))
            self._walk(tree, Scope(import_module(dotted)))
        known = -1
        while known != sum(map(len, self.mouths.values())):  # a mouth found may make its callers mouths
            known = sum(map(len, self.mouths.values()))
            self.found: set[str] = set()
            self.lost: list[str] = []
            for call, scope in self.calls:
                self._listen(call, scope)

    def _walk(self, node: ast.AST, scope: Scope, owner: str = "") -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                a = child.args
                names = [each.arg for each in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
                self._walk(child, Scope(scope.module, child.name, owner, names, child, scope))
                continue
            if isinstance(child, ast.Call):
                self.calls.append((child, scope))
            self._walk(child, scope, child.name if isinstance(child, ast.ClassDef) else owner)

    def _listen(self, call: ast.Call, scope: Scope) -> None:
        receiver, name = callee(call)
        if (receiver, name, scope.owner) == ("", "self", "Wording"):
            name = "_"
        if name == "say" and receiver == "":  # what `translator` gave
            self._resolve(call.args[0], scope)
        for mouth in self.mouths.get(name, ()):
            if mouth.receivers and receiver not in mouth.receivers:
                continue
            told = [each.value for each in call.keywords if each.arg == mouth.keyword]
            if mouth.position is not None and mouth.position < len(call.args):
                told.append(call.args[mouth.position])
            for argument in told:
                self._resolve(argument, scope)
        if name == "UnreadableError":
            for each in call.keywords:
                if each.arg in VALUES:
                    self._resolve(each.value, scope)

    def _resolve(self, node: ast.expr, scope: Scope) -> None:
        """Add the texts that ``node`` may be to those found, or the place to those lost."""
        if _is_translator(node):
            return
        try:
            self.found |= {text for text in self._texts(node, scope) if _has_words(text)}
        except UnseenError:
            file = Path(scope.module.__file__ or "").relative_to(self.root)
            self.lost.append(f"{file}:{node.lineno}: {ast.unparse(node)}")

    def _texts(self, node: ast.expr, scope: Scope) -> Iterator[str]:
        if isinstance(node, ast.Constant):
            yield from texts(node.value)
        elif isinstance(node, ast.IfExp):
            yield from self._texts(node.body, scope)
            yield from self._texts(node.orelse, scope)
        elif isinstance(node, ast.Subscript):
            yield from self._texts(node.value, scope)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = getattr(scope.module, node.value.id, None)
            yield from texts(self._held(module, node.attr))
        elif isinstance(node, ast.Name):
            yield from self._named(node, scope)
        elif not (isinstance(node, ast.Call) and callee(node)[1] in SAID):
            raise UnseenError(ast.unparse(node))

    def _held(self, module: object, name: str) -> object:
        """What a module of ours holds under ``name``; an object's attribute cannot be read."""
        if isinstance(module, ModuleType):
            return getattr(module, name)
        raise UnseenError(name)

    def _named(self, node: ast.Name, scope: Scope) -> Iterator[str]:
        bound = list(_bindings(node.id, scope.body)) if scope.body else []
        if bound:
            for value, place in bound:
                yield from self._bound(value, place, scope)
        elif node.id in scope.parameters:
            self._becomes_mouth(node.id, scope)
        elif scope.outer and scope.outer.body:
            yield from self._named(node, scope.outer)
        elif hasattr(scope.module, node.id):
            yield from texts(getattr(scope.module, node.id))
        else:
            raise UnseenError(node.id)

    def _bound(self, value: ast.expr, place: int | None, scope: Scope) -> Iterator[str]:
        """The texts a name may have: ``value``, or place ``place`` of each of its items (-1: the items)."""
        if isinstance(value, ast.Call) and callee(value)[1] == "next":
            value = value.args[0]
        if isinstance(value, ast.GeneratorExp):
            yield from self._texts(value.elt, scope)
        elif isinstance(value, ast.Tuple | ast.List) and place is not None:
            for item in value.elts:
                wanted = item.elts[place] if place >= 0 and isinstance(item, ast.Tuple) else item
                yield from self._texts(wanted, scope)
        elif isinstance(value, ast.Name) and place is not None and hasattr(scope.module, value.id):
            for item in getattr(scope.module, value.id):
                yield from texts(item[place] if place >= 0 else item)
        else:
            yield from self._texts(value, scope)

    def _becomes_mouth(self, name: str, scope: Scope) -> None:
        if scope.name.startswith("__"):
            return  # the base classes are mouths already
        receivers = RECEIVERS.get(scope.owner, frozenset())
        methods = [each for each in scope.parameters if each not in {"self", "cls"}]
        body = scope.body
        assert isinstance(body, ast.FunctionDef)
        only = {each.arg for each in body.args.kwonlyargs}
        mouth = Mouth(None if name in only else methods.index(name), name, receivers)
        if mouth not in self.mouths.setdefault(scope.name, []):
            self.mouths[scope.name].append(mouth)


def _is_translator(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in TRANSLATORS


def _has_words(text: str) -> bool:
    """Whether anything is left to translate beside the values."""
    return any(letter.isalpha() for part, *_ in string.Formatter().parse(text) for letter in part)


def _bindings(name: str, body: ast.AST) -> Iterator[tuple[ast.expr, int | None]]:
    """What is assigned to ``name``, or looped over by it and at which position (-1: the whole item)."""
    for node in ast.walk(body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value, None
        elif isinstance(node, ast.For | ast.comprehension):
            if isinstance(node.target, ast.Name) and node.target.id == name:
                yield node.iter, -1
            elif isinstance(node.target, ast.Tuple):
                for place, each in enumerate(node.target.elts):
                    if isinstance(each, ast.Name) and each.id == name:
                        yield node.iter, place


def looks_told(text: str) -> bool:
    """Whether a text has the shape of a sentence for people: values to fill in, or a full stop."""
    filled = re.search(r"\{[a-z_]+\}", text) and _has_words(text)
    return bool(filled or re.fullmatch(r"[A-Z{]\S*(?: \S+){2,}\.", text))


def literals(tree: ast.Module) -> Iterator[str]:
    """Every text in a module but docstrings, parts of f-strings and the help of commands."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            passed.update(map(id, node.values))
        elif isinstance(node, ast.keyword) and node.arg == "help":
            passed.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.value


def placeholders(template: str) -> list[tuple[str, str | None, str | None]]:
    """The values a template wants, with how each is to be written, in order of name."""
    parsed = string.Formatter().parse(template)
    return sorted({(name, spec, conversion) for _, name, spec, conversion in parsed if name is not None})


def catalog() -> Catalog:
    """The Vietnamese catalogue as its source has it."""
    with PO.open("rb") as file:
        return read_po(file, locale="vi", abort_invalid=True)


def pairs(catalogue: Catalog) -> dict[str, str]:
    """English to Vietnamese, without the header."""
    return {str(message.id): str(message.string) for message in catalogue if message.id}


TOLD = Reader(PACKAGE, "pipeline")
VIETNAMESE = pairs(catalog())


def test_every_mouth_is_understood():
    """Wherever people are told something, the test can read what: nothing is out of its sight."""
    assert TOLD.lost == []


def test_nothing_that_looks_like_a_sentence_is_told_past_the_mouths():
    """A text with the shape of a sentence for people is one that the catalogue is held to."""
    told = {text for _, tree in TOLD.sources for text in literals(tree) if looks_told(text)}
    assert told - TOLD.found - NOT_TOLD == set()


def test_every_sentence_has_its_vietnamese():
    """Nothing that people are told stays English when they asked for Vietnamese."""
    assert sorted(TOLD.found - {english for english, said in VIETNAMESE.items() if said}) == []


def test_no_translation_is_left_over():
    """A sentence that the code no longer says is not in the catalogue."""
    assert sorted(set(VIETNAMESE) - TOLD.found) == []


def test_sentences_about_unreadable_input_are_told():
    """The reading of the code finds at least the sentences that reading of tables lists by itself."""
    assert set(faults.templates()) <= TOLD.found


def test_both_languages_want_the_same_values():
    """A translation names each value of its sentence, and no other."""
    wrong = [en for en, vi in VIETNAMESE.items() if placeholders(en) != placeholders(vi)]
    assert wrong == []


def test_translations_begin_and_end_alike():
    """Blanks at the ends, full stop and line breaks are the same: sentences are put together from parts."""

    def shape(text: str) -> tuple[object, ...]:
        blanks = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
        return (*blanks, text.count("\n"), text.endswith("."))

    assert [en for en, vi in VIETNAMESE.items() if shape(en) != shape(vi)] == []


def test_translations_are_composed_text():
    """Vietnamese letters are in the one spelling (NFC) that every program shows and finds."""
    assert [vi for vi in VIETNAMESE.values() if not unicodedata.is_normalized("NFC", vi)] == []


@pytest.mark.parametrize("word", AVOIDED)
def test_nobody_is_accused(word):
    """The words for people say what is alike, never that somebody took it from another."""
    assert [vi for vi in VIETNAMESE.values() if word in vi.casefold()] == []


def test_no_translation_is_a_guess():
    """No entry is marked as fuzzy, for such an entry would not be shown."""
    assert [message.id for message in catalog() if message.id and message.fuzzy] == []


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (get_args(records.Level), wording.LEVELS),
        (classify.REASONS, wording.REASONS),
        (records.FLAGS, wording.REPAIRS),
    ],
    ids=["levels", "reasons", "flags"],
)
def test_every_code_has_words(codes, table):
    """A code that a step gives has words for people, and no words are kept for a code nobody gives."""
    assert set(codes) == set(table)


def test_the_compiled_catalogue_is_what_its_source_says():
    """The file the program loads holds what the readable one says; `make words` compiles it."""
    compiled = io.BytesIO()
    write_mo(compiled, catalog())
    compiled.seek(0)
    with PO.with_suffix(".mo").open("rb") as file:
        assert pairs(read_mo(file)) == pairs(read_mo(compiled))


def test_vietnamese_is_said_unless_english_is_asked_for():
    """The default language is Vietnamese; in English every sentence is the one in the code."""
    assert words.translator()("Total") == "Tổng cộng"
    for english, vietnamese in VIETNAMESE.items():
        assert words.translator("vi")(english) == vietnamese
        assert words.translator("en")(english) == english


def test_unknown_words_stay_as_they_are():
    """What the catalogue does not know is shown in English rather than not at all."""
    assert (
        words.translator("vi")("Nothing like this is in the catalogue")
        == "Nothing like this is in the catalogue"
    )


@given(st.sampled_from(sorted(VIETNAMESE)), st.text())
def test_no_value_is_lost_in_translation(template, value):
    """Whatever a value is, the Vietnamese sentence shows it as the English one does."""
    names = [name for name, _, _ in placeholders(template)]
    said = Note(template, dict.fromkeys(names, value)).say(words.translator("vi"))
    assert value in said or not names


PLANTED = {
    "errors": "from pipeline.errors import Note, UsageError\n",
    "tables": 'TABLE = {"a": ("One thing", "Two things")}\nPHRASE = "A phrase"\n',
    "steps": """
from pipeline.errors import Note, UsageError
from planted import tables
from planted.tables import TABLE

NAMES = ((0.5, "Half"), (0.0, "None of it"))

def direct():
    raise UsageError("Straight {x}" " on", x=1)

def by_variable(flag):
    template = "If so" if flag else "If not"
    return Note(template, {})

def by_table(code, _):
    return _(TABLE[code][0]), _(tables.PHRASE)

def by_loop(_):
    for code, name in (("x", "Looped"), ("y", "Twice")):
        yield _(name)

def by_search(_, score):
    found = next(word for least, word in NAMES if score >= least)
    return _(found)

def handed_on(title, *, remark):
    return Note(title, {}), Note(remark, {})

def hands_on():
    return handed_on("Handed on", remark="By keyword")

def hidden(rows):
    return Note(rows.pop(), {})
""",
}


def test_sentences_are_found_by_every_road(tmp_path, monkeypatch):
    """In a planted package each way of telling is seen, and what cannot be read is said to be so."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for name, text in {"__init__": "", **PLANTED}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "planted", raising=False)  # a benchmark of this name may have been run
    reader = Reader(folder, "planted")
    for name in [name for name in sys.modules if name.startswith("planted")]:
        monkeypatch.delitem(sys.modules, name)
    assert reader.found == {
        "Straight {x} on", "If so", "If not", "One thing", "Two things", "A phrase", "Looped", "Twice",
        "Half", "None of it", "Handed on", "By keyword",
    }  # fmt: skip
    assert [place.partition(":")[2].partition(": ")[2] for place in reader.lost] == ["rows.pop()"]
