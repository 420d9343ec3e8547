"""One served world, several programs: ours scans while programs that we did not write talk to the same doubles."""

from __future__ import annotations

import time
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.end_to_end.program import command, environment, settings
from tests.end_to_end.served_world import served_world

SHORT = settings("path.n_positions=7", "path.half_width=300nm", "passes.dwell=300ms", "passes.n_passes=1")


def test_foreign_clients_are_answered_while_a_scan_uses_the_same_world(tmp_path: Path) -> None:
    lakeshore = pytest.importorskip("lakeshore", reason="a peer of the extra `dev`")
    thorlabs = pytest.importorskip("pylablib.devices.Thorlabs", reason="a peer of the extra `dev`")
    with served_world(tmp_path, "simulation.is_homed=true") as world:
        words = command("run", "configs/scan_line.yaml", "--rig", world.rig, "--json", *SHORT)
        with Popen(words, cwd=tmp_path, env=environment(), stdout=PIPE, stderr=PIPE, text=True) as scan:
            port = int(world.devices["thermostat"]["url"].rsplit(":", 1)[1])
            thermometer = lakeshore.Model335(57600, ip_address="127.0.0.1", tcp_port=port)
            motor = thorlabs.KinesisMotor(("serial", world.devices["detector_y"]["url"]))
            places = []
            try:
                while scan.poll() is None:
                    assert 299.0 < thermometer.get_kelvin_reading("A") < 301.0
                    places.append(motor.get_position())
                    time.sleep(0.05)
            finally:
                motor.close()
                thermometer.disconnect_tcp()
            told, said = scan.communicate()
        assert scan.returncode == 0, said
        assert len(places) > 10
        assert max(places) > min(places) >= 0
        assert '"finish_reason": "completed"' in told
        assert not world.is_light_on
