"""Makes the figures known to templates."""

from __future__ import annotations

from flask import Flask

from web.figures.exposure_plot import exposure_plot
from web.figures.path_plot import path_plot
from web.figures.plots import interval_plot, plot
from web.figures.progress import progress_bar
from web.figures.scatter_plot import scatter_plot
from web.figures.score_scale import score_scale
from web.figures.standard_plots import judges_plot, share_plot


def init_figures(app: Flask) -> None:
    """Give templates one function for each figure."""
    for figure in (
        exposure_plot,
        interval_plot,
        judges_plot,
        path_plot,
        plot,
        progress_bar,
        scatter_plot,
        score_scale,
        share_plot,
    ):
        app.add_template_global(figure, figure.__name__)
