"""How good: what was found, beside what is true."""

from pipeline.evaluate.calibration import brier, calibration_error, reliability
from pipeline.evaluate.labelling import Labels, labels
from pipeline.evaluate.pairing import Pairs, pairs

__all__ = ("Labels", "Pairs", "brier", "calibration_error", "labels", "pairs", "reliability")
