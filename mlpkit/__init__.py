"""Multilayer networks from a declarative spec, every layer a plugin.

Names are loaded when they are first used, so that ``import mlpkit`` costs next to nothing. Type checkers read
``__init__.pyi``, which ``docs/generate.py`` writes from the table below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.lazy_names import lazy_names
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.deprecation import Deprecation

__version__ = VERSION

_HOMES = {
    "mlpkit.array": ("Array",),
    "mlpkit.components.augmentation": ("Augmentation",),
    "mlpkit.components.callback": ("Callback", "Outcome", "TrainingView", "Weights"),
    "mlpkit.components.calibration": ("Calibration",),
    "mlpkit.components.category_encoding": (
        "CategoryEncoding",
        "CategoryEncodingLike",
        "FittedCategoryEncoding",
        "TrainingCategories",
    ),
    "mlpkit.components.component": ("Component",),
    "mlpkit.components.dataset": (
        "DataWarning",
        "Dataset",
        "Description",
        "Proposal",
        "RawArray",
        "RawColumn",
        "Split",
    ),
    "mlpkit.components.encoding": ("Encoding", "EncodingLike", "FittedEncoding", "TrainingColumns"),
    "mlpkit.components.engine": ("Engine", "Workers"),
    "mlpkit.components.exporter": ("Exporter",),
    "mlpkit.components.graph": ("Graph", "ML_DOMAIN", "Value"),
    "mlpkit.components.hook": ("component", "hookimpl"),
    "mlpkit.components.initializer": ("Fans", "Initializer", "InitializerLike"),
    "mlpkit.components.input_columns": ("InputColumn", "InputShape"),
    "mlpkit.components.layer": ("Chain", "Elementwise", "Layer"),
    "mlpkit.components.loss": ("Loss",),
    "mlpkit.components.metric": ("Metric",),
    "mlpkit.components.optimizer": ("Optimizer", "Step"),
    "mlpkit.components.parameter": ("Parameter", "State"),
    "mlpkit.components.schema.recipe": ("Recipe",),
    "mlpkit.components.schedule": ("Progress", "Rate", "Schedule"),
    "mlpkit.components.schema.auto": ("ClassWeights", "Units"),
    "mlpkit.components.schema.types": ("ColumnName", "FilePath"),
    "mlpkit.components.schema.wording": ("did_you_mean", "shown_number"),
    "mlpkit.components.target": ("Classes", "Labels", "Target", "Values", "ValuesScaling"),
    "mlpkit.components.verb": ("Verb",),
    "mlpkit.deprecation": ("Deprecation",),
    "mlpkit.errors": (
        "ComponentFailure",
        "DataError",
        "DivergenceError",
        "EngineMissingError",
        "EnsembleError",
        "ExportError",
        "MlpkitError",
        "ModelFileError",
        "NotExportableError",
        "ParameterError",
        "PluginError",
        "RunFolderError",
        "ShapeError",
        "SpecError",
        "StorageError",
        "TargetError",
        "UnknownComponentError",
        "UsageError",
        "WorkersLostError",
    ),
    "mlpkit.groups.ensemble": ("EnsembleRun", "OutOfFold"),
    "mlpkit.groups.local_workers": ("LocalWorkers",),
    "mlpkit.groups.seeds": ("SeedRuns", "resume_seeds"),
    "mlpkit.jobs.build": ("build",),
    "mlpkit.jobs.spec_data": ("load_data",),
    "mlpkit.jobs.load_model": ("load_model",),
    "mlpkit.jobs.trained_model": ("Model", "load"),
    "mlpkit.jobs.train": ("Run",),
    "mlpkit.network.sequential": ("Sequential",),
    "mlpkit.numpy_file": ("NpyHeader", "read_npy_header"),
    "mlpkit.pages.page": ("html_document",),
    "mlpkit.reliability": ("calibration_bins", "expected_calibration_error"),
    "mlpkit.jobs.explanations": ("Explanation",),
    "mlpkit.specfile.spec": ("Spec", "load_spec"),
    "mlpkit.statistics": ("Interval",),
    "mlpkit.training.health": ("Symptom",),
    "mlpkit.training.events": ("StopRequest", "TrainingEnd"),
    "mlpkit.verbs.doctor.doctor": ("Diagnosis", "doctor"),
    "mlpkit.verbs.export.export": ("Export", "Rounding", "export"),
    "mlpkit.verbs.report.report": ("report",),
    "mlpkit.verbs.run.fit": ("fit",),
    "mlpkit.verbs.run.resume": ("resume",),
    "mlpkit.verbs.run.run": ("run",),
    "mlpkit.verbs.sweep.folder": ("Trial",),
    "mlpkit.verbs.sweep.sweep": ("Sweep", "SweepStatus", "resume_sweep", "stop_sweep", "sweep", "sweep_status"),
    "mlpkit.verbs.trace.trace": ("Trace", "TracedExample", "TracedLayer", "trace"),
    "mlpkit.verbs.tune_rate.tune_rate": ("RateTest", "tune_rate"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the table above has the names
    "__version__",
    *sorted(_HOME_OF),
]

_SUBMODULES = ("engines", "graph", "layers", "sklearn", "testing")

_DEPRECATED: dict[str, tuple[str, Deprecation]] = {}
"""Former public names, with the ``module:name`` that each was."""

__getattr__, __dir__ = lazy_names(globals(), _HOME_OF, _SUBMODULES, _DEPRECATED)
