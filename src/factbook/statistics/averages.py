"""Figures of a table of labels (rows) against predictions (columns) of many classes, with their gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from factbook.statistics.delta import Figure, Statistic
from factbook.statistics.moments import Floats

MACRO: Final = "macro"
WEIGHTED: Final = "weighted"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of one class: `scale` times its hits over `labels` times its labels plus `predictions` times its predictions."""

    scale: float
    labels: float
    predictions: float

    def below(self, table: Floats) -> Floats:
        """The denominator of every class."""
        found: Floats = self.labels * table.sum(axis=1) + self.predictions * table.sum(axis=0)
        return found

    def values(self, table: Floats) -> Floats:
        """The figure of every class; NaN for 0 of 0."""
        below = self.below(table)
        found: Floats = np.divide(self.scale * np.diagonal(table), below, out=np.full(len(table), np.nan), where=below > 0)
        return found


RATIOS: Final = {"precision": Ratio(1.0, 0.0, 1.0), "recall": Ratio(1.0, 1.0, 0.0), "f1": Ratio(2.0, 1.0, 1.0)}


def average(name: str, kind: str) -> Figure:
    """The macro or weighted average of a figure over the classes for which it is defined.

    The macro average counts every class alike, the weighted one by its labels (Sokolova & Lapalme 2009, Information Processing & Management 45,
    427). A class whose figure is 0 of 0 is left out, not counted as 0.
    """
    ratio = RATIOS[name]

    def figure(table: Floats) -> Statistic | None:
        values, below, labels = ratio.values(table), ratio.below(table), table.sum(axis=1)
        known = np.isfinite(values)
        given = known.astype(np.float64) if kind == MACRO else np.where(known, labels, 0.0)
        total = float(given.sum())
        if total <= 0:
            return None
        values, share = np.where(known, values, 0.0), given / total
        value = float(share @ values)
        each = np.divide(share, below, out=np.zeros(len(table)), where=known)
        gradient = np.diag(ratio.scale * each) - ratio.labels * (each * values)[:, None] - ratio.predictions * (each * values)[None, :]
        if kind == WEIGHTED:
            gradient += (np.where(known, values - value, 0.0) / total)[:, None]
        return Statistic(value, gradient)

    return figure


def kappa(table: Floats) -> Statistic | None:
    """Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20, 37); None where chance agreement is 1."""
    n = float(table.sum())
    p = table / n
    labels, predictions = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float(np.trace(p)), float(labels @ predictions)
    if 1 - chance < 1e-14:
        return None
    value = (observed - chance) / (1 - chance)
    gradient = (np.eye(len(p)) - (predictions[:, None] + labels[None, :]) * (1 - value)) / (1 - chance)
    return Statistic(value, (gradient - float((p * gradient).sum())) / n)


def matthews(table: Floats) -> Statistic | None:
    """Matthews' correlation of many classes (Gorodkin 2004, Computational Biology and Chemistry 28, 367); None where a side is all alike."""
    n = float(table.sum())
    p = table / n
    labels, predictions = p.sum(axis=1), p.sum(axis=0)
    across, down = 1 - float(labels @ labels), 1 - float(predictions @ predictions)
    if across < 1e-14 or down < 1e-14:
        return None
    together = float(np.trace(p)) - float(labels @ predictions)
    value = together / math.sqrt(across * down)
    gradient = (np.eye(len(p)) - predictions[:, None] - labels[None, :]) / math.sqrt(across * down)
    gradient += value * (labels[:, None] / across + predictions[None, :] / down)
    return Statistic(value, (gradient - float((p * gradient).sum())) / n)
