"""Strong networks for tables, which ``mlpkit init --recipe`` adapts to a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mlpkit_plugins.recipes.mlp_plr import mlp_plr
from mlpkit_plugins.recipes.realmlp import realmlp_td, realmlp_td_s
from mlpkit_plugins.recipes.table_recipe import Recipe
from mlpkit_plugins.recipes.tabm import tabm

RECIPES: Final[Mapping[str, Recipe]] = {
    "realmlp_td_s": realmlp_td_s,
    "realmlp_td": realmlp_td,
    "mlp_plr": mlp_plr,
    "tabm": tabm,
}
