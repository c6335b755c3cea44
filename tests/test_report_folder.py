"""A folder of results is there whole or not at all, and what people put into it is never lost."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import OutputError, PermissionDenied, StoreLocked, UsageError
from pipeline.report import files, folder


def put(out: Path, **contents: str | None) -> None:
    """Publish files of the given contents into ``out``."""
    place = folder.target(out)
    with folder.replacing(place) as new:
        for name, content in contents.items():
            (new / name).write_text(content, "utf-8")
        digests = {path.name: files.sha256(path) for path in new.iterdir()}
        files.write_json({"program": "sangkien", "outputs": digests}, new / "run.json")


def contents(out: Path) -> dict[str, str]:
    """Return every file below ``out`` but the record, by relative name."""
    found = {
        path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*") if path.is_file()
    }
    found.pop("run.json", None)
    return found


def test_new_results_take_the_place_of_old_ones(tmp_path: Path) -> None:
    """Files of the former run that the new one does not write are gone; nothing stays beside the folder."""
    put(tmp_path / "out", a="1", b="1")
    put(tmp_path / "out", a="2")
    assert contents(tmp_path / "out") == {"a": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_people_changed_or_added_is_kept(tmp_path: Path) -> None:
    """A filled workbook and a note survive any number of runs, each once, where it was first kept."""
    out = tmp_path / "out"
    put(out, book="empty", other="x")
    (out / "book").write_text("filled", "utf-8")
    (out / "notes").mkdir()
    (out / "notes" / "n.txt").write_text("mine", "utf-8")
    put(out, book="new")
    first = {"book": "new", "kept/1/book": "filled", "kept/1/notes/n.txt": "mine"}
    assert contents(out) == first
    put(out, book="new")
    assert contents(out) == first
    (out / "book").write_text("filled again", "utf-8")
    put(out, book="newer")
    assert contents(out) == {**first, "book": "newer", "kept/2/book": "filled again"}
    assert folder.kept(folder.target(out))[0].name == "book"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["run", "edit"]), st.sampled_from(["a", "b", "kept/1/a", "c/d"]))))
def test_no_text_a_person_wrote_is_ever_gone(tmp_path: Path, steps: list[tuple[str, str]]) -> None:
    """Through any series of runs and edits, each text a person wrote last under some name still stands."""
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    put(out, a="0", b="0")
    written: dict[str, str] = {}
    for number, (step, name) in enumerate(steps, 1):
        if step == "run":
            put(out, a=f"run {number}", b="same")
            safe, written = set(written.values()), {}
            assert safe <= set(contents(out).values())
            continue
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(f"edit {number}", "utf-8")
        written[name] = f"edit {number}"


def test_an_edit_while_the_new_results_are_made_is_kept(tmp_path: Path) -> None:
    """A workbook that is saved at the last moment is carried along too."""
    out = folder.target(tmp_path / "out")
    put(out, book="empty")
    with folder.replacing(out) as new:
        (new / "run.json").write_text(json.dumps({"program": "sangkien", "outputs": {}}), "utf-8")
        (out / "book").write_text("filled", "utf-8")
    assert contents(out) == {"kept/1/book": "filled"}


def test_an_exception_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """What was half made is removed."""
    out = tmp_path / "out"
    put(out, a="1")
    with pytest.raises(TypeError):
        put(out, a="2", b=None)
    assert contents(out) == {"a": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_someone_else_is_not_touched(tmp_path: Path) -> None:
    """A file, a folder with other things, or another program's record is refused in words."""
    (tmp_path / "file").write_text("x", "utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("x", "utf-8")
    (tmp_path / "alien").mkdir()
    (tmp_path / "alien" / "run.json").write_text('{"outputs": {}}', "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, words in (("file", "is a file"), ("full", "nothing was touched"), ("alien", "not the results")):
        with pytest.raises(UsageError, match=words):
            folder.target(tmp_path / name)
    for name in ("loop", "."):
        with pytest.raises(UsageError):
            folder.target(tmp_path / name if name != "." else Path())
    assert (tmp_path / "full" / "thesis.docx").read_text("utf-8") == "x"


def test_an_empty_folder_and_a_link_are_followed(tmp_path: Path) -> None:
    """Results go into an empty folder, and through a link to where it leads, which stays a link."""
    (tmp_path / "empty").mkdir(mode=0o750)
    put(tmp_path / "empty", a="1")
    assert contents(tmp_path / "empty") == {"a": "1"}
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o750
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "real")
    put(tmp_path / "link", a="2")
    put(tmp_path / "link", a="3")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "deep" / "real") == {"a": "3"}


def test_links_that_people_add_are_kept_as_links(tmp_path: Path) -> None:
    """A link in former results is carried along and never followed."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "big").write_text("big", "utf-8")
    put(out, a="1")
    (out / "link").symlink_to(elsewhere)
    put(out, a="2")
    assert (out / "kept" / "1" / "link").is_symlink()
    assert (elsewhere / "big").read_text("utf-8") == "big"


def test_two_at_once_are_told(tmp_path: Path) -> None:
    """While one run publishes, a second is refused, and settling lets the first go on."""
    out = folder.target(tmp_path / "out")
    with folder.replacing(out) as new:
        (new / "a").write_text("1", "utf-8")
        with pytest.raises(StoreLocked, match="another run"), folder.replacing(out):
            pass
        folder.settle(out)
        assert (new / "a").exists()
        files.write_json({"program": "sangkien", "outputs": {}}, new / "run.json")
    assert contents(out) == {"a": "1"}


def test_someone_who_looks_always_sees_whole_results(tmp_path: Path) -> None:
    """While results are replaced again and again, whoever opens it finds a whole file."""
    out = tmp_path / "out"
    put(out, a="0")
    stop, missed = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            try:
                (out / "a").read_text("utf-8")
            except FileNotFoundError:
                missed.append(1)

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(20):
        put(out, a=str(number))
    stop.set()
    watcher.join()
    assert not missed or not sys.platform.startswith("linux")


# The driver forks for every point at which the system is asked for something, and there the child dies
# (or writes no more): what is left is then looked at, put right, and published once more.
_DRIVER = """
import ctypes, json, os, resource, runpy, shutil, signal, sys
from pathlib import Path
from pipeline.errors import OutputError
from pipeline.report import files, folder

test = runpy.run_path(sys.argv[1])
put, contents = test["put"], test["contents"]
base, mode, step = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
out = base / "out"
if mode == "two renames":
    ctypes.CDLL = lambda *_, **__: object()


def whole():
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert {name: files.sha256(out / name) for name in record["outputs"]} == record["outputs"]
    return {name: text for name, text in contents(out).items() if not name.startswith("kept")}


def die_at(point):
    seen = 0
    def hook(event, _):
        nonlocal seen
        if event.split(".")[0] in ("open", "os", "shutil", "ctypes"):
            seen += 1
            if seen == point:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)


old, new = {"a": "old", "b": "old", "c": "mine"}, {"a": "new", "b": "new"}
outcomes = {"old": 0, "new": 0, "between": 0}
for point in range(1, 10_000, step):
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir()
    put(out, a="old", b="old")
    (out / "c").write_text("mine", "utf-8")
    child = os.fork()
    if not child:
        die_at(point)
        put(out, a="new", b="new")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if out.exists():
        state = "old" if whole() == old else "new"
        assert whole() in (old, new), whole()
    else:
        assert mode == "two renames"
        state = "between"
    outcomes[state] += 1
    folder.settle(out)
    assert whole() in (old, new)
    assert "mine" in contents(out).values()
    assert [path.name for path in base.iterdir()] == ["out"]
    put(out, a="newer")
    assert whole() == {"a": "newer"} and "mine" in contents(out).values()
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        break
print(json.dumps(outcomes))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="crashes are tried in forked children")
@pytest.mark.parametrize(
    ("mode", "step"),
    [
        ("exchange", 7),
        pytest.param("exchange", 1, marks=pytest.mark.slow),
        pytest.param("two renames", 1, marks=pytest.mark.slow),
    ],
)
def test_a_crash_at_any_point_leaves_old_or_new(tmp_path: Path, mode: str, step: int) -> None:
    """Killed before any single call to the system, the folder is whole, and no text of a person gone."""
    command = [sys.executable, "-c", _DRIVER, __file__, str(tmp_path / "base"), mode, str(step)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes["old"] > 30 / step
    assert outcomes["new"] > 15 / step
    assert (outcomes["between"] > 0) == (mode == "two renames" or not sys.platform.startswith("linux"))


_FULL = """
import resource, runpy, signal, sys
from pathlib import Path
from pipeline import report
from pipeline.errors import OutputError

test = runpy.run_path(sys.argv[1])
out = Path(sys.argv[2])
report.publish(test["planted"](), out, language="en")
before = {path.name: path.read_bytes() for path in out.iterdir()}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
refused = 0
for limit in (0, 100, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 6_000, 8_000, 9_000, 10_000, 12_000, 10**9):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        report.publish(test["planted"](), out, language="en")
    except OutputError as error:
        refused += 1
        assert str(out) in str(error), error
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]
print(refused)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_publishes_nothing(tmp_path: Path) -> None:
    """Wherever writing stops, the sentence names the place and the former results stand untouched."""
    (tmp_path / "base").mkdir()
    planted = Path(__file__).with_name("test_report.py")
    command = [sys.executable, "-c", _FULL, str(planted), str(tmp_path / "base" / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 8
    assert not done.stderr


def test_a_refusal_by_the_system_names_the_file(tmp_path: Path) -> None:
    """An open file in another program, or a missing permission, is told with its path and what to do."""
    locked = tmp_path / "ket_qua.xlsx"
    with pytest.raises(PermissionDenied, match=r"ket_qua\.xlsx.*Close files"), folder.telling(tmp_path):
        raise PermissionError(13, "denied", str(locked))


def test_what_the_system_refuses_is_said_with_the_place(tmp_path: Path) -> None:
    """A name that cannot be made is an error in words that names it."""
    with pytest.raises(OutputError, match="could not be written"):
        put(tmp_path / ("x" * 250), a="1")
