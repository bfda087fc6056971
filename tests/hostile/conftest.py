# SPDX-License-Identifier: MIT
"""The monitors that the hostile suite attacks."""

import shutil

import pytest

from hostile_case import BUILD, build


@pytest.fixture(scope="session")
def monitor(tmp_path_factory):
    """A copy of the monitor, which may be built anew while this runs; and the guests."""
    assert (BUILD / "duomo.elf").exists(), "no build/duomo.elf; remedy: make"
    build("hostile-guests")
    return shutil.copy(BUILD / "duomo.elf", tmp_path_factory.mktemp("monitor"))


@pytest.fixture(scope="session")
def spoilt():
    """The monitors with a deliberate mistake, by what they are called in hostile.mk."""
    build("hostile-guests", "hostile-builds")
    return {name: BUILD / name / "duomo.elf" for name in ("hole", "self_harm")}
