"""Ray as commands have it: started and stopped without a word."""

import subprocess
import sys

PROGRAM = """
import logging
from training.cluster import ray_for

logging.basicConfig(level=logging.INFO)
with ray_for(1):
    import ray
    print(ray.get(ray.remote(lambda: 6 * 7).remote()))
print(ray.is_initialized())
"""


def test_ray_is_there_for_as_long_as_it_is_needed_and_says_nothing():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["42", "False"]
    assert done.stderr == ""
