"""Estimators for scikit-learn that train with mlpkit; the extra ``sklearn`` installs what they need.

Parameters have scikit-learn's names where their meaning is the same. An estimator is loaded when it is first used, and
the training code by its first fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.lazy_names import lazy_names

try:
    import sklearn  # noqa: F401
except ImportError as error:
    msg = 'mlpkit.sklearn needs scikit-learn; install it with: pip install "mlpkit[sklearn]"'
    raise ImportError(msg) from error

if TYPE_CHECKING:  # "as" marks the name as public
    from mlpkit.sklearn.mlp import MLPClassifier as MLPClassifier
    from mlpkit.sklearn.mlp import MLPRegressor as MLPRegressor
    from mlpkit.sklearn.spec_estimator import SpecEstimator as SpecEstimator

_HOME_OF = {
    "MLPClassifier": "mlpkit.sklearn.mlp",
    "MLPRegressor": "mlpkit.sklearn.mlp",
    "SpecEstimator": "mlpkit.sklearn.spec_estimator",
}
__all__ = list(_HOME_OF)
__getattr__, __dir__ = lazy_names(globals(), _HOME_OF)
