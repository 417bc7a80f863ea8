"""pysc2 and s2protocol import, and do what they did on the Python they were written for."""

import importlib
import random
import subprocess
import sys

import numpy as np
import pytest

from envs import pysc2_compat

NEEDED = [
    "pysc2.agents.base_agent",
    "pysc2.agents.random_agent",
    "pysc2.agents.scripted_agent",
    "pysc2.bin.agent",
    "pysc2.env.available_actions_printer",
    "pysc2.env.environment",
    "pysc2.env.lan_sc2_env",
    "pysc2.env.run_loop",
    "pysc2.env.sc2_env",
    "pysc2.lib.actions",
    "pysc2.lib.features",
    "pysc2.lib.portspicker",
    "pysc2.lib.protocol",
    "pysc2.lib.remote_controller",
    "pysc2.lib.renderer_human",
    "pysc2.lib.replay.sc2_replay",
    "pysc2.lib.sc_process",
    "pysc2.lib.units",
    "pysc2.lib.upgrades",
    "pysc2.maps",
    "pysc2.run_configs",
    "s2protocol.versions",
]


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it printed."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("module", NEEDED)
def test_every_module_that_is_needed_imports(module: str):
    pysc2_compat.load()
    importlib.import_module(module)


def test_loading_comes_first_and_alone_mends_a_fresh_interpreter():
    code = "from envs import pysc2_compat; pysc2_compat.load(); import pysc2.lib.features as f"
    assert python(f"{code}; print(f.Player.minerals.name)").splitlines()[-1] == "minerals"


def test_importing_the_module_changes_nothing():
    code = "import sys; from envs import pysc2_compat"
    loaded = f"{code}; print([m for m in ('pysc2', 's2protocol', 'imp') if m in sys.modules])"
    assert python(loaded).strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [[], ["pysc2.bin.nothing"], ["pysc2.no.such"], ["os"]],
    ids=lambda words: " ".join(words),
)
def test_what_is_no_program_of_pysc2s_is_refused_in_one_line(words: list[str]):
    command = [sys.executable, "-m", "envs.pysc2_compat", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"such as pysc2.bin.agent, got {[*words, 'nothing'][0]}"
    )
    assert "Traceback" not in done.stderr


def test_the_stand_in_for_imp_is_gone_after_loading():
    code = "import sys; from envs import pysc2_compat; pysc2_compat.load_s2protocol()"
    assert python(f"{code}; print('imp' in sys.modules)").strip() == "False"


def test_the_palette_is_shuffled_as_python_3_10_did():
    pysc2_compat.load()
    colors = importlib.import_module("pysc2.lib.colors")
    # By hand for five entries: swaps (4, 2), (3, 2), (2, 1), (1, 1) of 0 1 2 3 4.
    expected = np.array(list(colors.smooth_hue_palette(5)))[[0, 3, 1, 4, 2]]
    np.testing.assert_array_equal(colors.shuffled_hue(5), expected)
    assert random.shuffle.__defaults__ is None


def test_a_protocol_of_a_build_decodes_and_an_unknown_build_is_an_import_error():
    pysc2_compat.load()
    versions = importlib.import_module("s2protocol.versions")
    assert hasattr(versions.build(75689), "decode_replay_header")
    assert hasattr(versions.latest(), "decode_replay_header")
    with pytest.raises(ImportError):
        versions.build(99999)
