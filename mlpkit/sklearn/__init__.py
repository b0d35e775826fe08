"""Estimators of scikit-learn that train with mlpkit; the extra ``sklearn`` installs what they need.

The names of parameters are scikit-learn's where the meaning is the same.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    msg = 'mlpkit.sklearn needs scikit-learn; install it with: pip install "mlpkit[sklearn]"'
    raise ImportError(msg) from error

from mlpkit.sklearn.mlp import MLPClassifier, MLPRegressor
from mlpkit.sklearn.spec_estimator import SpecEstimator

__all__ = ["MLPClassifier", "MLPRegressor", "SpecEstimator"]
