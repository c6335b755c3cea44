"""How good: what was found, beside what is true."""

from pipeline.evaluate import drift
from pipeline.evaluate.calibration import brier, calibration_error, reliability, risk_coverage
from pipeline.evaluate.doubts import doubts
from pipeline.evaluate.gate import Asked, Limits, Verdict, gate
from pipeline.evaluate.labelling import Labels, labels
from pipeline.evaluate.pairing import Pairs, pairs
from pipeline.evaluate.resampling import intervals

__all__ = (
    "Asked",
    "Labels",
    "Limits",
    "Pairs",
    "Verdict",
    "brier",
    "calibration_error",
    "doubts",
    "drift",
    "gate",
    "intervals",
    "labels",
    "pairs",
    "reliability",
    "risk_coverage",
)
