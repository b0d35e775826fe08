"""``mlpkit serve``: a trained model answers over HTTP."""
