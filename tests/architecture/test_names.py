"""A public function that shared a submodule's name would be hidden by it, depending on what was imported first."""

from __future__ import annotations

import pkgutil

import pytest

import mlpkit
import mlpkit.testing


@pytest.mark.parametrize("package", [mlpkit, mlpkit.testing])
def test_no_public_name_is_that_of_a_submodule(package):
    submodules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert submodules & set(package.__all__) == set()
