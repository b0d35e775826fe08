"""Multilayer networks from a declarative spec, every layer a plugin.

Names are loaded when they are first used, so that ``import mlpkit`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.lazy_names import lazy_names
from mlpkit.version import VERSION

if TYPE_CHECKING:  # "as" says that the name is public
    from mlpkit import layers as layers
    from mlpkit.components.augmentation import Augmentation as Augmentation
    from mlpkit.components.callback import Callback as Callback
    from mlpkit.components.callback import Outcome as Outcome
    from mlpkit.components.callback import TrainingView as TrainingView
    from mlpkit.components.callback import Weights as Weights
    from mlpkit.components.category_encoding import CategoryEncoding as CategoryEncoding
    from mlpkit.components.category_encoding import CategoryEncodingLike as CategoryEncodingLike
    from mlpkit.components.category_encoding import FittedCategoryEncoding as FittedCategoryEncoding
    from mlpkit.components.category_encoding import TrainingCategories as TrainingCategories
    from mlpkit.components.component import Component as Component
    from mlpkit.components.dataset import Dataset as Dataset
    from mlpkit.components.dataset import Description as Description
    from mlpkit.components.dataset import Doubt as Doubt
    from mlpkit.components.dataset import Proposal as Proposal
    from mlpkit.components.dataset import RawArray as RawArray
    from mlpkit.components.dataset import RawColumn as RawColumn
    from mlpkit.components.dataset import Split as Split
    from mlpkit.components.elementwise import Elementwise as Elementwise
    from mlpkit.components.encoding import Encoding as Encoding
    from mlpkit.components.encoding import EncodingLike as EncodingLike
    from mlpkit.components.encoding import FittedEncoding as FittedEncoding
    from mlpkit.components.encoding import TrainingColumns as TrainingColumns
    from mlpkit.components.graph import ML_DOMAIN as ML_DOMAIN
    from mlpkit.components.graph import Graph as Graph
    from mlpkit.components.graph import Value as Value
    from mlpkit.components.hook import component as component
    from mlpkit.components.hook import hookimpl as hookimpl
    from mlpkit.components.initializer import (
        Fans as Fans,
    )
    from mlpkit.components.initializer import (
        Initializer as Initializer,
    )
    from mlpkit.components.initializer import (
        InitializerLike as InitializerLike,
    )
    from mlpkit.components.input_columns import InputColumn as InputColumn
    from mlpkit.components.input_columns import InputShape as InputShape
    from mlpkit.components.layer import Chain as Chain
    from mlpkit.components.layer import Layer as Layer
    from mlpkit.components.left_to_data import ClassWeights as ClassWeights
    from mlpkit.components.left_to_data import Units as Units
    from mlpkit.components.loss import Loss as Loss
    from mlpkit.components.metric import Metric as Metric
    from mlpkit.components.optimizer import Optimizer as Optimizer
    from mlpkit.components.optimizer import Step as Step
    from mlpkit.components.parameter import Parameter as Parameter
    from mlpkit.components.parameter import State as State
    from mlpkit.components.recipe import Recipe as Recipe
    from mlpkit.components.schedule import Progress as Progress
    from mlpkit.components.schedule import Rate as Rate
    from mlpkit.components.schedule import Schedule as Schedule
    from mlpkit.components.schema.types import FilePath as FilePath
    from mlpkit.components.schema.wording import did_you_mean as did_you_mean
    from mlpkit.components.schema.wording import shown_number as shown_number
    from mlpkit.components.target import (
        Classes as Classes,
    )
    from mlpkit.components.target import (
        Labels as Labels,
    )
    from mlpkit.components.target import (
        Target as Target,
    )
    from mlpkit.components.target import (
        Values as Values,
    )
    from mlpkit.components.target import (
        ValuesScaling as ValuesScaling,
    )
    from mlpkit.errors import (
        ComponentFailure as ComponentFailure,
    )
    from mlpkit.errors import (
        DataError as DataError,
    )
    from mlpkit.errors import (
        DivergenceError as DivergenceError,
    )
    from mlpkit.errors import (
        EnsembleError as EnsembleError,
    )
    from mlpkit.errors import (
        MlpkitError as MlpkitError,
    )
    from mlpkit.errors import (
        ModelFileError as ModelFileError,
    )
    from mlpkit.errors import (
        NotExportableError as NotExportableError,
    )
    from mlpkit.errors import (
        ParameterError as ParameterError,
    )
    from mlpkit.errors import (
        PluginError as PluginError,
    )
    from mlpkit.errors import (
        RunFolderError as RunFolderError,
    )
    from mlpkit.errors import (
        ShapeError as ShapeError,
    )
    from mlpkit.errors import (
        SpecError as SpecError,
    )
    from mlpkit.errors import (
        StorageError as StorageError,
    )
    from mlpkit.errors import (
        TargetError as TargetError,
    )
    from mlpkit.errors import (
        UnknownComponentError as UnknownComponentError,
    )
    from mlpkit.errors import (
        UsageError as UsageError,
    )
    from mlpkit.errors import (
        WorkersLostError as WorkersLostError,
    )
    from mlpkit.groups.ensemble import EnsembleRun as EnsembleRun
    from mlpkit.groups.out_of_fold import OutOfFold as OutOfFold
    from mlpkit.groups.seeds import SeedRuns as SeedRuns
    from mlpkit.groups.seeds import resume_seeds as resume_seeds
    from mlpkit.jobs.build import build as build
    from mlpkit.jobs.load_data import load_data as load_data
    from mlpkit.jobs.load_model import load_model as load_model
    from mlpkit.jobs.trained_model import Model as Model
    from mlpkit.jobs.trained_model import load as load
    from mlpkit.jobs.training_job import Run as Run
    from mlpkit.network.sequential import Sequential as Sequential
    from mlpkit.npy_header import NpyHeader as NpyHeader
    from mlpkit.npy_header import read_npy_header as read_npy_header
    from mlpkit.specfile.spec import Spec as Spec
    from mlpkit.specfile.spec import load_spec as load_spec
    from mlpkit.statistics import Interval as Interval
    from mlpkit.verbs.doctor.doctor import Diagnosis as Diagnosis
    from mlpkit.verbs.doctor.doctor import doctor as doctor
    from mlpkit.verbs.doctor.symptoms import Symptom as Symptom
    from mlpkit.verbs.export.export import Export as Export
    from mlpkit.verbs.export.export import Rounding as Rounding
    from mlpkit.verbs.export.export import export as export
    from mlpkit.verbs.report.report import report as report
    from mlpkit.verbs.run.fit import fit as fit
    from mlpkit.verbs.run.resume import resume as resume
    from mlpkit.verbs.run.run import run as run
    from mlpkit.verbs.sweep.driver import SweepObserver as SweepObserver
    from mlpkit.verbs.sweep.folder import Trial as Trial
    from mlpkit.verbs.sweep.status import SweepStatus as SweepStatus
    from mlpkit.verbs.sweep.status import stop_sweep as stop_sweep
    from mlpkit.verbs.sweep.status import sweep_status as sweep_status
    from mlpkit.verbs.sweep.sweep import Sweep as Sweep
    from mlpkit.verbs.sweep.sweep import resume_sweep as resume_sweep
    from mlpkit.verbs.sweep.sweep import sweep as sweep
    from mlpkit.verbs.trace.trace import Trace as Trace
    from mlpkit.verbs.trace.trace import TracedExample as TracedExample
    from mlpkit.verbs.trace.trace import TracedLayer as TracedLayer
    from mlpkit.verbs.trace.trace import trace as trace
    from mlpkit.verbs.tune_rate.tune_rate import RateTest as RateTest
    from mlpkit.verbs.tune_rate.tune_rate import tune_rate as tune_rate

__version__ = VERSION

_HOMES = {
    "mlpkit.components.augmentation": ("Augmentation",),
    "mlpkit.components.callback": ("Callback", "Outcome", "TrainingView", "Weights"),
    "mlpkit.components.category_encoding": (
        "CategoryEncoding",
        "CategoryEncodingLike",
        "FittedCategoryEncoding",
        "TrainingCategories",
    ),
    "mlpkit.components.component": ("Component",),
    "mlpkit.components.dataset": ("Dataset", "Description", "Doubt", "Proposal", "RawArray", "RawColumn", "Split"),
    "mlpkit.components.elementwise": ("Elementwise",),
    "mlpkit.components.encoding": ("Encoding", "EncodingLike", "FittedEncoding", "TrainingColumns"),
    "mlpkit.components.graph": ("ML_DOMAIN", "Graph", "Value"),
    "mlpkit.components.hook": ("component", "hookimpl"),
    "mlpkit.components.initializer": ("Fans", "Initializer", "InitializerLike"),
    "mlpkit.components.input_columns": ("InputColumn", "InputShape"),
    "mlpkit.components.layer": ("Chain", "Layer"),
    "mlpkit.components.left_to_data": ("ClassWeights", "Units"),
    "mlpkit.components.loss": ("Loss",),
    "mlpkit.components.metric": ("Metric",),
    "mlpkit.components.optimizer": ("Optimizer", "Step"),
    "mlpkit.components.parameter": ("Parameter", "State"),
    "mlpkit.components.recipe": ("Recipe",),
    "mlpkit.components.schedule": ("Progress", "Rate", "Schedule"),
    "mlpkit.components.schema.types": ("FilePath",),
    "mlpkit.components.schema.wording": ("did_you_mean", "shown_number"),
    "mlpkit.components.target": ("Classes", "Labels", "Target", "Values", "ValuesScaling"),
    "mlpkit.errors": (
        "ComponentFailure",
        "DataError",
        "DivergenceError",
        "EnsembleError",
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
    "mlpkit.verbs.doctor.doctor": ("Diagnosis", "doctor"),
    "mlpkit.groups.ensemble": ("EnsembleRun",),
    "mlpkit.verbs.export.export": ("Export", "Rounding", "export"),
    "mlpkit.verbs.run.fit": ("fit",),
    "mlpkit.jobs.load_data": ("load_data",),
    "mlpkit.jobs.load_model": ("load_model",),
    "mlpkit.groups.out_of_fold": ("OutOfFold",),
    "mlpkit.verbs.trace.trace": ("Trace", "TracedExample", "TracedLayer", "trace"),
    "mlpkit.jobs.trained_model": ("Model", "load"),
    "mlpkit.verbs.report.report": ("report",),
    "mlpkit.verbs.run.resume": ("resume",),
    "mlpkit.verbs.run.run": ("run",),
    "mlpkit.groups.seeds": ("SeedRuns", "resume_seeds"),
    "mlpkit.verbs.sweep.driver": ("SweepObserver",),
    "mlpkit.verbs.sweep.status": ("SweepStatus", "stop_sweep", "sweep_status"),
    "mlpkit.verbs.sweep.sweep": ("Sweep", "resume_sweep", "sweep"),
    "mlpkit.jobs.training_job": ("Run",),
    "mlpkit.verbs.tune_rate.tune_rate": ("RateTest", "tune_rate"),
    "mlpkit.jobs.build": ("build",),
    "mlpkit.network.sequential": ("Sequential",),
    "mlpkit.verbs.sweep.folder": ("Trial",),
    "mlpkit.npy_header": ("NpyHeader", "read_npy_header"),
    "mlpkit.specfile.spec": ("Spec", "load_spec"),
    "mlpkit.statistics": ("Interval",),
    "mlpkit.verbs.doctor.symptoms": ("Symptom",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the names are those of the table above
    "__version__",
    *sorted(_HOME_OF),
]

_SUBMODULES = ("layers", "sklearn", "testing")

__getattr__ = lazy_names(globals(), _HOME_OF, _SUBMODULES)


def __dir__() -> list[str]:
    """List the public names and modules."""
    return sorted([*__all__, *_SUBMODULES])
