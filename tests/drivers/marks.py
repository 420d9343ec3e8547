"""What a system cannot do."""

import sys

import pytest

needs_visa_over_a_url = pytest.mark.skipif(sys.platform == "win32", reason="there pyvisa-py opens COM ports alone")
