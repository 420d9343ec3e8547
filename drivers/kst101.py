"""Driver of a Thorlabs ZFS25B stepper actuator on a KST101, KST201 or TST101 controller.

The actuator has no encoder: "position" is the count of microsteps that the controller has commanded, meaningless before
`home` has run. Settings are not kept in a way to rely on, so `configure` writes and verifies all of them whenever a
connection is opened; with them the controller approaches every target from below, which takes the backlash out.

No method waits. The end of a move is found by polling `has_arrived`; frames that nobody asked for, such as
"move completed", end up in `notices` and decide nothing alone. The caller leaves `write_interval_s` between two writes,
because a K-Cube loses commands that come faster. A run that only a switch ends is not offered.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019); frames in
`drivers/apt_codec.py`, the conversation in `drivers/apt_link.py`, the actuator's numbers in `drivers/zfs25b.py`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pyvisa.constants import ControlFlow

from drivers import apt_codec as apt
from drivers import zfs25b
from drivers.apt_codec import CHANNEL, Frame
from drivers.apt_link import AptLink, ControllerFault
from drivers.apt_messages import FAULTS, LIMITS, MOVING, Message, Status
from drivers.zfs25b import ZFS25B, ActuatorSettings, Scale, check_range

DEFAULT_TOLERANCE_MM = 0.001  # a microstep is 0.46 nm, but the mechanics repeat to some micrometres


class LimitReached(ControllerFault):
    """The actuator stopped on a limit instead of at its target."""


class KST101(Instrument):
    """A ZFS25B actuator on its controller.

    Parameters
    ----------
    adapter : pymeasure Adapter or str
        Link to the controller, opened with `serial_settings`; a string is a VISA resource name.
    name : str
        How messages call the axis.
    travel_mm : tuple of float
        Lowest and highest position in mm that a move may aim at.
    scale : Scale, optional
        Controller units; otherwise chosen by the model that the controller reports.

    Attributes
    ----------
    notices : dict of int to Frame
        The latest frame of each kind that came unasked, by message id.
    """

    serial_settings: ClassVar[dict[str, Any]] = {"baudrate": 115200, "rtscts": True, "timeout": 0.5}
    """Keywords for pyserial (issue 25, section 2.1); 8 data bits, no parity and 1 stop bit are its defaults."""

    write_interval_s: ClassVar[float] = 0.003
    """Shortest time between two writes, kept by the caller; faster writes overrun a K-Cube's input."""

    def __init__(
        self,
        adapter: Any,
        name: str = "Thorlabs KST101",
        travel_mm: tuple[float, float] = (0.0, 24.9),
        scale: Scale | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("asrl", {"baud_rate": 115200, "flow_control": ControlFlow.rts_cts, "timeout": 500})
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.travel_mm = travel_mm
        self._link = AptLink(self)
        self.notices = self._link.notices
        self._scale = scale
        self._must_see_homing = False

    @property
    def info(self) -> apt.Info:
        """Get serial number, model, firmware and number of channels (Info)."""
        return apt.info(self.ask(Frame(Message.HW_REQ_INFO)))

    @property
    def scale(self) -> Scale:
        """Get the controller units (Scale), asked of the controller's model once unless given."""
        if self._scale is None:
            self._scale = zfs25b.controller_of_model(self.info.model).scale
        return self._scale

    @property
    def enabled(self) -> bool:
        """Control whether the motor is powered (bool); a disabled axis obeys no move and says nothing."""
        return self.ask(Frame(Message.REQ_CHANENABLESTATE, CHANNEL)).param2 == 1

    @enabled.setter
    def enabled(self, is_enabled: bool) -> None:
        self.write(Frame(Message.SET_CHANENABLESTATE, CHANNEL, 1 if is_enabled else 2))

    @property
    def status(self) -> Status:
        """Get the status bits (Status); fault bits are returned, not raised."""
        status = Status(self._link.values(Message.REQ_STATUSBITS)[0])
        if status & Status.HOMING or Message.MOVE_HOMED in self.notices:
            self._must_see_homing = False
        return status

    @property
    def position_mm(self) -> float:
        """Measure the commanded position in mm (float)."""
        return self._link.values(Message.REQ_POSCOUNTER)[0] / self.scale.counts_per_mm

    @property
    def is_moving(self) -> bool:
        """Get whether the axis moves, jogs or homes (bool); a fault bit raises ControllerFault."""
        return bool(self._sound_status() & MOVING)

    @property
    def is_homed(self) -> bool:
        """Get whether the axis has its reference, so that positions count (bool); a fault bit raises ControllerFault.

        After `home` this needs a sign that the run has begun, because the flag of an earlier run may still be up.
        """
        status = self._sound_status()
        return not self._must_see_homing and status & (Status.HOMED | Status.HOMING) == Status.HOMED

    @property
    def rest_power_percent(self) -> int:
        """Control the motor current at rest in percent (int strictly from 1 to 100); less keeps the optics cooler."""
        return self._link.values(Message.REQ_POWERPARAMS)[0]

    @rest_power_percent.setter
    def rest_power_percent(self, percent: int) -> None:
        check_range(f"{self.name} rest power", percent, 1, 100, "%")
        in_motion = self._link.values(Message.REQ_POWERPARAMS)[1]
        self._link.write_verified(Message.SET_POWERPARAMS, (percent, in_motion))

    @property
    def jog_step_mm(self) -> float:
        """Control how far one `jog` goes, in mm (float strictly from 0.0001 to 1)."""
        return self._link.values(Message.REQ_JOGPARAMS)[1] / self.scale.counts_per_mm

    @jog_step_mm.setter
    def jog_step_mm(self, step_mm: float) -> None:
        self._link.write_verified(Message.SET_JOGPARAMS, zfs25b.jog_registers(step_mm, self.scale))

    @property
    def settings(self) -> ActuatorSettings:
        """Get velocity, acceleration, backlash and homing as the controller holds them (ActuatorSettings)."""
        found = {message: self._link.values(Message(message + 1)) for message in ZFS25B.registers(self.scale)}
        return ActuatorSettings.from_registers(found, self.scale)

    def configure(self, settings: ActuatorSettings = ZFS25B) -> None:
        """Write every setting, read each back and compare; nothing moves and nothing is switched on.

        Raises
        ------
        ValueError
            A setting is beyond what the actuator can do; nothing was sent.
        ControllerFault
            A setting reads back differently.
        """
        settings.check()
        self.stop_updates()
        self.write(Frame(Message.HW_NO_FLASH_PROGRAMMING))
        self.write(Frame(Message.RESUME_ENDOFMOVEMSGS))
        self._link.discard_input()
        for message, wanted in settings.registers(self.scale).items():
            self._link.write_verified(message, wanted)

    def declare_actuator(self) -> None:
        """Tell the controller for good that it drives a ZFS25B, which a new one learns from Kinesis otherwise.

        A model that is not documented to understand this is refused with a ValueError.
        """
        model = self.info.model
        if not zfs25b.controller_of_model(model).has_actuator_types:
            raise ValueError(f"{self.name}: a {model} does not take an actuator type; choose the stage with Kinesis.")
        self.write(Frame(Message.SET_TSTACTUATORTYPE, zfs25b.ACTUATOR_TYPE))
        self.write(apt.long_frame(Message.SET_EEPROMPARAMS, CHANNEL, Message.SET_TSTACTUATORTYPE))

    def home(self) -> None:
        """Start the reference run to the reverse limit switch (25 mm take 50 s); `is_homed` tells its end."""
        self.notices.pop(Message.MOVE_HOMED, None)
        self.write(Frame(Message.MOVE_HOME, CHANNEL))
        self._must_see_homing = True

    def move_to(self, target_mm: float) -> None:
        """Start moving to a position in mm.

        Raises
        ------
        ValueError
            The target is outside `travel_mm` or the axis is not homed; nothing moves.
        ControllerFault
            A fault bit is set; nothing moves.
        """
        self._check_target(target_mm)
        self._check_homed()
        self.write(apt.long_frame(Message.MOVE_ABSOLUTE, CHANNEL, self.scale.counts(target_mm)))

    def move_by(self, distance_mm: float) -> None:
        """Start moving by a signed distance in mm from the present position; refuses as `move_to` does."""
        self._check_homed()
        self._check_target(self.position_mm + distance_mm)
        self.write(apt.long_frame(Message.MOVE_RELATIVE, CHANNEL, self.scale.counts(distance_mm)))

    def jog(self, is_forward: bool) -> None:
        """Take one step of `jog_step_mm`, also before homing; a homed axis refuses to leave its travel (ValueError)."""
        if self.is_homed:
            step_mm = self.jog_step_mm
            self._check_target(self.position_mm + (step_mm if is_forward else -step_mm))
        self.write(Frame(Message.MOVE_JOG, CHANNEL, 1 if is_forward else 2))

    def stop(self, immediate: bool = False) -> None:
        """Stop with the usual deceleration, or at once (microsteps may be lost: home again)."""
        self.write(Frame(Message.MOVE_STOP, CHANNEL, 1 if immediate else 2))

    def has_arrived(self, target_mm: float, tolerance_mm: float = DEFAULT_TOLERANCE_MM) -> bool:
        """Poll whether the axis stands still within `tolerance_mm` of `target_mm`.

        It must have said that this move was completed there, or, as some units never do, show no motion before and
        after its position is read: a move that has not begun and the turn of a backlash correction are no end.

        Raises
        ------
        LimitReached
            The axis stands on a limit instead.
        ControllerFault
            A fault bit is set, the reference is lost, or the axis stands still and cannot move.
        """
        status = self._sound_status()
        if status & MOVING:
            return False
        if not status & Status.HOMED:
            raise ControllerFault(f"{self.name}: the reference is lost, as after a power cut; connect and home again.")
        completed_at = self._link.completed_at()
        if completed_at is not None and abs(completed_at / self.scale.counts_per_mm - target_mm) <= tolerance_mm:
            return True
        position_mm = self.position_mm
        if abs(position_mm - target_mm) <= tolerance_mm:
            return not self._sound_status() & MOVING
        where = f"{self.name}: stopped at {position_mm:.4f} mm on the way to {target_mm:.4f} mm"
        if status & LIMITS:
            raise LimitReached(f"{where}, on a limit; home the axis and check travel_mm.")
        if not status & Status.MOTOR_CONNECTED:
            raise ControllerFault(f"{where}: the motor is not connected; check its cable.")
        if not status & Status.CHANNEL_ENABLED:
            raise ControllerFault(f"{where}: the motor is switched off; check the panel, then enable the axis.")
        return False

    def identify(self) -> None:
        """Blink the front panel, to tell one axis from the other."""
        self.write(Frame(Message.IDENTIFY, CHANNEL))

    def start_updates(self) -> None:
        """Let the controller send its status every 100 ms into `notices`; polling is more reliable."""
        self.write(Frame(Message.HW_START_UPDATEMSGS))

    def stop_updates(self) -> None:
        """Stop the automatic messages."""
        self.write(Frame(Message.HW_STOP_UPDATEMSGS))

    def keep_alive(self) -> None:
        """Tell the controller that somebody listens to its updates, wanted once per second by some families."""
        self.write(Frame(Message.ACK_DCSTATUSUPDATE))

    def shutdown(self) -> None:
        """Stop the motion and the automatic messages; the motor stays enabled and holds its place."""
        self.stop()
        self.stop_updates()
        super().shutdown()

    def write(self, frame: Frame) -> None:
        """Send one frame; a broken link raises ConnectionError."""
        self._link.send(frame)

    def read(self) -> Frame:
        """Return the next frame that arrives; raises as `AptLink.receive` does."""
        return self._link.receive()

    def ask(self, request: Frame) -> Frame:
        """Send a request and return its reply, whatever arrives in between; raises as `AptLink.ask` does."""
        return self._link.ask(request)

    def _sound_status(self) -> Status:
        status = self.status
        if status & FAULTS:
            names = ", ".join(str(bit.name) for bit in status & FAULTS)
            raise ControllerFault(
                f"{self.name}: the controller reports {names} (status 0x{status:08X}); "
                "switch it off, look for the cause, and home again."
            )
        return status

    def _check_homed(self) -> None:
        if not self.is_homed:
            raise ValueError(f"{self.name}: the axis is not homed, its position means nothing; call home() first.")

    def _check_target(self, target_mm: float) -> None:
        check_range(f"{self.name} target", target_mm, *self.travel_mm, "mm")
