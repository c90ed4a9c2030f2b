"""Figures of years, of regions and sub-registers, and of many indicators, from released results.

Each gives a `Released` of kind "figure", as those of `figures` do: SVG and PNG, the numbers drawn,
and words for who cannot see it.
"""

from __future__ import annotations

from typing import Any

from workbench.output.disclosure import Released, require_released
from workbench.output.figures import level_matrix, region_matrix, unit_trends
from workbench.output.figures.drawing import Caption, in_its_language, seal_drawing


@in_its_language
def draw_trends(
    trends: Released, *, own: str | None = None, is_alone: bool = False,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw each unit's share by year, with an arrow only where it is more than chance.

    With `is_alone` only the unit `own` is drawn beside the nation, if it is shown at all.
    """
    require_released(trends, "trends")
    alone = own if is_alone else None

    def draw(one: Released, figure: Any) -> None:
        unit_trends.draw(one, figure, own=own, alone=alone)

    told = unit_trends.describe(trends)
    return seal_drawing(trends, draw, unit_trends.height_of(trends, alone), told, caption)


@in_its_language
def draw_matrix(
    cells: Released, *, value: str, words: str, best: float, worst: float, factor: float = 1,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw one number for each region and sub-register, darker from `best` to `worst`.

    `cells` is a released table with two keys: a reading "shares", or reporting lags.
    """
    require_released(cells, "shares", "lag", "counts")
    shade: dict[str, Any] = {"best": best, "worst": worst, "factor": factor, "words": words}
    shade["value"] = value

    def draw(one: Released, figure: Any) -> None:
        region_matrix.draw(one, figure, **shade)

    told = region_matrix.describe(
        cells, value=value, factor=factor, words=words, is_high_good=best > worst
    )
    return seal_drawing(cells, draw, region_matrix.height_of(cells), told, caption)


@in_its_language
def draw_levels(overview: Released, *, caption: Caption | None = None) -> Released:
    """Draw the levels of many indicators by region; a released reading "overview"."""
    require_released(overview, "overview")
    told = level_matrix.describe(overview)
    height = level_matrix.height_of(overview)
    return seal_drawing(overview, level_matrix.draw, height, told, caption)
