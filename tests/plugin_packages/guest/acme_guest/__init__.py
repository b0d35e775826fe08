"""What a package outside the repository adds to mlpkit's commands, written from the docs alone."""

from mlpkit import component, hookimpl


@hookimpl
def mlpkit_components():
    """Return the components; each is imported when it is used."""
    return [
        component("exporter", "weights", "acme_guest.weights:Weights"),
        component("engine", "queue", "acme_guest.queue:Queue"),
    ]
