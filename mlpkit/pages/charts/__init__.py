"""Charts of a page, each made by a function in a module of its name.

A chart is a mapping in the language of Vega-Lite (https://vega.github.io/vega-lite/docs/spec.html); ``vega`` draws it.
"""

from mlpkit.pages.charts.axes import Chart
from mlpkit.pages.charts.bands import bands
from mlpkit.pages.charts.bars import bars
from mlpkit.pages.charts.curves import curves
from mlpkit.pages.charts.engine import prepare_charts, require_chart_library
from mlpkit.pages.charts.heatmap import heatmap
from mlpkit.pages.charts.histogram import histogram
from mlpkit.pages.charts.histograms import histograms
from mlpkit.pages.charts.intervals import intervals
from mlpkit.pages.charts.parallel import ParallelAxis, ParallelLine, parallel
from mlpkit.pages.charts.paths import paths
from mlpkit.pages.charts.points import points
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
    "heatmap",
    "histogram",
    "histograms",
    "intervals",
    "parallel",
    "paths",
    "points",
    "prepare_charts",
    "require_chart_library",
    "specification",
]
