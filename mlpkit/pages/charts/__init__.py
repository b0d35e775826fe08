"""Charts of a page.

A chart is a mapping in the language of Vega-Lite (https://vega.github.io/vega-lite/docs/spec.html); ``vega`` draws it.
"""

from mlpkit.pages.charts.curves import curves
from mlpkit.pages.charts.distributions import bands, histogram, histograms
from mlpkit.pages.charts.engine import prepare_charts, require_chart_library
from mlpkit.pages.charts.parallel import ParallelAxis, ParallelLine, parallel
from mlpkit.pages.charts.planes import Chart, bars, grouped_bars, heatmap, paths, points
from mlpkit.pages.charts.vega import chart_library, figure, specification

__all__ = [
    "Chart",
    "ParallelAxis",
    "ParallelLine",
    "bands",
    "bars",
    "chart_library",
    "curves",
    "figure",
    "grouped_bars",
    "heatmap",
    "histogram",
    "histograms",
    "parallel",
    "paths",
    "points",
    "prepare_charts",
    "require_chart_library",
    "specification",
]
