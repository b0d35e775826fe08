"""What a package outside the repository adds to mlpkit, written from the docs alone."""

from mlpkit import component, hookimpl


@hookimpl
def mlpkit_components():
    """Return the components of this package."""
    return [
        component("verb", "prune", "mlpkit_acme.prune:Prune"),
        component("exporter", "text", "mlpkit_acme.text:Text"),
        component("engine", "threads", "mlpkit_acme.threads:Threads"),
    ]
