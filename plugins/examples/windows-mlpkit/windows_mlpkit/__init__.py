"""Time series for mlpkit: windows of a CSV file, a convolution over time, and a gated recurrent unit."""

from mlpkit import component, hookimpl


@hookimpl
def mlpkit_components():
    """Return the components of this package; each is imported only when it is used."""
    return [
        component("dataset", "series", "windows_mlpkit.series:Series"),
        component("layer", "Conv1d", "windows_mlpkit.conv1d:Conv1d"),
        component("layer", "Gru", "windows_mlpkit.gru:Gru"),
    ]
