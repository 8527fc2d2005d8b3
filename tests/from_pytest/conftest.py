"""What the tests of docs/from-pytest.md find around them in a suite of its own: a reset that any test may ask for."""

import os

import pytest

from control import say


@pytest.fixture
def reset():
    def pulse():
        say(os.environ["KIT_CONTROL"], "reset assert")
        say(os.environ["KIT_CONTROL"], "reset release")

    return pulse
