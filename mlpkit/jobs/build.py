"""From a spec to its network."""

from __future__ import annotations

from mlpkit.components.dataset import Description, Split
from mlpkit.components.randomness import keyed_generator
from mlpkit.jobs.first_weights import FirstWeights
from mlpkit.jobs.prove import prove
from mlpkit.network.adapting import seeing_parameters
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.network.shape_proof import Proof
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.training.minibatches import BatchReader


def build(spec: Spec, *, slices: int | None = None) -> Sequential:
    """Build the network of a spec, its parameters initialised from the spec's seed.

    Args:
        spec: the spec.
        slices: slices of a minibatch; by default the spec's, or one.

    Raises:
        UsageError: what is given is not a Spec.
        SpecSchemaError: a callback writes a file that is not its own.
        SpecShapeError: the layers don't fit each other or the data.
        DataError: the header of a data file is not what it should be.
    """
    require_spec(spec, "build")
    proved = prove(spec)
    return build_for(proved.spec, proved.proof, slices=slices, first_weights=proved.first_weights)


def build_for(
    spec: Spec,
    proof: Proof,
    *,
    slices: int | None = None,
    own_slices: range | None = None,
    first_weights: FirstWeights | None = None,
    examples: tuple[Split, Description] | None = None,
) -> Sequential:
    """Build the network of a spec from its layers, whose shapes are proved; they become the network's own.

    ``own_slices`` are the slices that the network computes, if other processes compute the rest. Without ``examples``,
    the training split and its description, no initializer sees data.
    """
    network = Sequential(
        proof.stack,
        proof.shapes[0],
        target=proof.target,
        seed=spec.seed,
        dtype=spec.dtype,
        slices=slices or spec.training.slices or 1,
        own_slices=own_slices,
        resolver=spec.registry.create,
        proof=proof,
    )
    taken = first_weights.arrays if first_weights is not None else {}
    arrays = {**network.parameters, **network.states}
    for path, array in taken.items():
        arrays[path][...] = array
    if examples is not None:
        seeing = [path for path in seeing_parameters(network.layers) if path not in taken]
        if seeing:
            split, description = examples
            rows = keyed_generator(spec.seed, "first batch").permutation(len(split))[:EVALUATION_ROWS]
            network.adapt(BatchReader(split, description, network.dtype, len(rows)).take(rows)[0], seeing)
    return network
