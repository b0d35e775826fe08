"""Survival analysis for mlpkit: the time until an event that some rows didn't live to see."""

from mlpkit import component, hookimpl


@hookimpl
def mlpkit_components():
    """Return the components of this package; each is imported only when it is used."""
    return [
        component("dataset", "table", "survival_mlpkit.table:SurvivalTable"),
        component("layer", "MonotoneAffine", "survival_mlpkit.monotone_affine:MonotoneAffine"),
        component("loss", "CoxLoss", "survival_mlpkit.cox_loss:CoxLoss"),
        component("metric", "concordance", "survival_mlpkit.concordance:Concordance"),
    ]
