"""The section ``training``."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecSchemaError
from mlpkit.specfile.spec import parse_spec


def test_a_parameter_beside_an_unknown_component_gets_no_advice_that_could_be_wrong():
    with pytest.raises(SpecSchemaError) as caught:
        parse_spec("training:\n  optimizer: {sdg: {}}\n  momentum: 0.9\n  epochs: 3\n", name="s.yaml")
    told = {problem.message: problem.remedy for problem in caught.value.faults}
    assert told["unknown optimizer 'sdg'"] == "did you mean 'sgd'?"
    assert told["unknown key 'momentum' of training"] == ""
