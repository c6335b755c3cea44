"""What several tests need: the sample, trained models, and the benchmark data where there is any."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from pipeline import starter
from pipeline.settings import Settings, checkout
from pipeline.taxonomy import default

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI draws the same examples every time, so that a change fails for what it changed; a desk draws new ones.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory) -> Iterator[None]:
    """Keep what commands remember between processes out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANGKIEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def sample() -> Path:
    """Return the folder of the sample that travels with the code."""
    return checkout("data", "sample")


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """Return a folder with both starter models, trained once for all tests."""
    root = tmp_path_factory.mktemp("models")
    knobs = Settings()
    starter.fields(root, default())
    starter.pairs(root, settings=knobs, known=starter.knowledge(settings=knobs))
    return root


@pytest.fixture(scope="session")
def static_encoder() -> Callable[[Path, Sequence[str], np.ndarray], Path]:
    """Return what saves a model2vec encoder of some words and their vectors in a folder."""

    def save(folder: Path, words: Sequence[str], vectors: np.ndarray) -> Path:
        from model2vec import StaticModel
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, words[0]))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        StaticModel(vectors.astype(np.float32), tokenizer).save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def bench_data() -> Path:
    """Return the folder of the benchmark data, or skip: the project runs and tests without it.

    ``SANGKIEN_BENCH_DATA`` names it; otherwise it is looked for beside the checkout. Where
    ``SANGKIEN_BENCH_REQUIRED`` is set, its absence is a failure.
    """
    folder = Path(os.environ.get("SANGKIEN_BENCH_DATA") or ROOT.parent / "shared" / "data")
    if (folder / "planted").is_dir():
        return folder
    message = "the benchmark data are not here: name their folder in SANGKIEN_BENCH_DATA"
    if os.environ.get("SANGKIEN_BENCH_REQUIRED"):
        pytest.fail(message)
    pytest.skip(message)
