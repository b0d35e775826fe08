"""The contestants by name: each trains on a table with a seed."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from table_contestants.real_table import Fitted


class Contestant(NamedTuple):
    """A contestant: its title, and the module of this package and the function that fit it, with further arguments."""

    title: str
    module: str
    function: str
    options: dict[str, Any]

    def ready(self) -> Callable[..., Fitted]:
        """Import its library, and return the function that takes a table, a seed and threads."""
        return partial(getattr(import_module(f"table_contestants.{self.module}"), self.function), **self.options)


def _ours(title: str, recipe: str, **more: Any) -> Contestant:
    return Contestant(title, "mlpkit_recipes", "fit_recipe", {"recipe": recipe, **more})


def _pytabkit(title: str, network: str, *, flush: bool = True) -> Contestant:
    return Contestant(title, "pytabkit_networks", "fit_network", {"network": network, "flush": flush})


def _defaults(title: str, function: str) -> Contestant:
    return Contestant(title, "with_defaults", function, {})


CONTESTANTS = {
    "td_s": _ours("RealMLP-TD-S", "realmlp_td_s"),
    "td": _ours("RealMLP-TD", "realmlp_td"),
    "td_folds": _ours("five-fold RealMLP-TD", "realmlp_td", ensemble={"folds": 5}),
    "tabm": _ours("TabM", "tabm"),
    "plr": _ours("MLP-PLR", "mlp_plr"),
    "td_s_bfloat16": _ours("RealMLP-TD-S in bfloat16", "realmlp_td_s", precision="bfloat16"),
    "td_bfloat16": _ours("RealMLP-TD in bfloat16", "realmlp_td", precision="bfloat16"),
    "tabm_bfloat16": _ours("TabM in bfloat16", "tabm", precision="bfloat16"),
    "pytabkit_td_s": _pytabkit("pytabkit's TD-S", "RealMLP_TD_S"),
    "pytabkit_td": _pytabkit("pytabkit's TD", "RealMLP_TD"),
    "pytabkit_td_s_as_shipped": _pytabkit("pytabkit's TD-S as it ships", "RealMLP_TD_S", flush=False),
    "pytabkit_td_as_shipped": _pytabkit("pytabkit's TD as it ships", "RealMLP_TD", flush=False),
    "tabm_package": Contestant("TabM's package", "tabm_package", "fit_tabm", {}),
    "sklearn_mlp": _defaults("scikit-learn's MLP", "fit_mlp"),
    "hist_gradient_boosting": _defaults("scikit-learn's trees", "fit_hist_gradient_boosting"),
    "lightgbm": _defaults("LightGBM", "fit_lightgbm"),
    "xgboost": _defaults("XGBoost", "fit_xgboost"),
    "catboost": _defaults("CatBoost", "fit_catboost"),
}
