"""Driver of a Thorlabs ZFS25B stepper actuator on a KST101, KST201 or TST101 controller.

The actuator has no encoder: "position" is the count of microsteps that the controller has commanded, and
it means nothing until `home` has run. Settings are not kept by the controller in a way to rely on, so
`configure` writes and verifies all of them whenever a connection is opened.

No method waits. The end of a move is found by polling `has_arrived`; frames that nobody asked for, such as
"move completed", end up in `notices` and decide nothing. The caller leaves `write_interval_s` between two writes,
because a K-Cube loses commands that come faster.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019); frames in
`drivers/apt_codec.py`, the actuator's numbers in `drivers/zfs25b.py`.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pyvisa import VisaIOError
from pyvisa.constants import ControlFlow, StatusCode

from drivers import apt_codec as apt
from drivers.apt_codec import CHANNEL, Frame, Message, Status
from drivers.zfs25b import ZFS25B, ActuatorSettings, Scale, check_range, scale_of_model

DEFAULT_TOLERANCE_MM = 0.001  # a microstep is 0.46 nm, but the mechanics repeat to some micrometres
MAX_FRAMES_ASIDE = 300  # frames that may come before a reply: half a second of a line full of updates
MAX_NOTICES = 32
MAX_READS = 512  # reads without any frame: the line carries something else than APT


class ControllerFault(OSError):
    """The controller reports a fault or does not keep a setting; the message names it."""


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
        Lowest and highest position in mm that `move_to` accepts.
    scale : Scale, optional
        Controller units; otherwise chosen by the model that the controller reports.
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
        self.notices: deque[Frame] = deque(maxlen=MAX_NOTICES)
        self._scale = scale
        self._reader = apt.FrameReader()
        self._last_status = Status(0)
        self._overdue: int | None = None

    @property
    def info(self) -> apt.Info:
        """Get serial number, model, firmware and number of channels (Info)."""
        return apt.info(self.ask(Frame(Message.HW_REQ_INFO)))

    @property
    def scale(self) -> Scale:
        """Get the controller units (Scale), asked of the controller's model once unless given."""
        if self._scale is None:
            self._scale = scale_of_model(self.info.model)
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
        self._last_status = Status(self._values(Message.REQ_STATUSBITS)[0])
        return self._last_status

    @property
    def position_mm(self) -> float:
        """Measure the commanded position in mm (float)."""
        return self._values(Message.REQ_POSCOUNTER)[0] / self.scale.counts_per_mm

    @property
    def is_moving(self) -> bool:
        """Get whether the axis moves, jogs or homes (bool); a fault bit raises ControllerFault."""
        return bool(self._sound_status() & apt.MOVING)

    @property
    def is_homed(self) -> bool:
        """Get whether a reference run has ended, so that positions count (bool); a fault bit raises ControllerFault."""
        return _is_homed(self._sound_status())

    @property
    def settings(self) -> ActuatorSettings:
        """Get velocity, acceleration, backlash and homing as the controller holds them (ActuatorSettings)."""
        found = {message: self._values(Message(message + 1)) for message in ZFS25B.registers(self.scale)}
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
        self.write(Frame(Message.HW_STOP_UPDATEMSGS))
        self.adapter.flush_read_buffer()
        for message, wanted in settings.registers(self.scale).items():
            self.write(apt.long_frame(message, CHANNEL, *wanted))
            found = self._values(Message(message + 1))
            if found != wanted:
                raise ControllerFault(
                    f"{self.name}: {message.name} was written as {wanted} but reads back as {found}; "
                    "switch the controller off and on, and set it up with Kinesis once if this persists."
                )

    def home(self) -> None:
        """Start the reference run to the reverse limit switch (25 mm take 50 s); `is_homed` tells its end."""
        self._last_status = Status(0)
        self.write(Frame(Message.MOVE_HOME, CHANNEL))

    def move_to(self, target_mm: float) -> None:
        """Start moving to a position in mm.

        Raises
        ------
        ValueError
            The target is outside `travel_mm` or the axis is not homed; nothing moves.
        """
        self._check_target(target_mm)
        self.write(apt.long_frame(Message.MOVE_ABSOLUTE, CHANNEL, self.scale.counts(target_mm)))

    def move_by(self, distance_mm: float) -> None:
        """Start moving by a signed distance in mm from the present position; refuses as `move_to` does."""
        self._check_target(self.position_mm + distance_mm)
        self.write(apt.long_frame(Message.MOVE_RELATIVE, CHANNEL, self.scale.counts(distance_mm)))

    def stop(self, immediate: bool = False) -> None:
        """Stop with the usual deceleration, or at once (microsteps may be lost: home again)."""
        self.write(Frame(Message.MOVE_STOP, CHANNEL, 1 if immediate else 2))

    def has_arrived(self, target_mm: float, tolerance_mm: float = DEFAULT_TOLERANCE_MM) -> bool:
        """Poll whether the axis stands still within `tolerance_mm` of `target_mm`.

        The motion bits are read before and after the position, so that neither a move that has not begun
        nor the turning point of a backlash correction passes for the end.

        Raises
        ------
        LimitReached
            The axis stands on a limit instead.
        ControllerFault
            A fault bit is set.
        """
        status = self._sound_status()
        if status & apt.MOVING:
            return False
        position_mm = self.position_mm
        if abs(position_mm - target_mm) <= tolerance_mm:
            return not self._sound_status() & apt.MOVING
        if status & apt.LIMITS:
            raise LimitReached(
                f"{self.name}: stopped on a limit at {position_mm:.4f} mm on the way to {target_mm:.4f} mm; "
                "home the axis and check travel_mm."
            )
        return False

    def identify(self) -> None:
        """Blink the front panel, to tell one axis from the other."""
        self.write(Frame(Message.IDENTIFY, CHANNEL))

    def shutdown(self) -> None:
        """Stop the motion and the automatic messages; the motor stays enabled and holds its place."""
        self.stop()
        self.write(Frame(Message.HW_STOP_UPDATEMSGS))
        super().shutdown()

    def write(self, frame: Frame) -> None:
        """Send one frame; a broken link raises ConnectionError."""
        try:
            self.write_bytes(frame.encode())
        except VisaIOError as error:
            raise ConnectionError(f"{self.name}: {error.description} Check cable and power.") from error

    def read(self) -> Frame:
        """Return the next frame that arrives, whatever it is.

        Raises
        ------
        TimeoutError
            Nothing came, or only part of a frame.
        ConnectionError
            The link is broken or carries something else than APT.
        """
        for _ in range(MAX_READS):
            frame = self._reader.next_frame()
            if frame is not None:
                return frame
            n_wanted = self._reader.n_missing
            data = self._receive(n_wanted)
            self._reader.feed(data)
            if len(data) < n_wanted:
                self._reader.give_up()
                raise TimeoutError(
                    f"{self.name}: no complete reply in time; check power and cable, "
                    "and close Kinesis, XA or APT User if one of them holds the controller."
                )
        raise ConnectionError(f"{self.name}: {MAX_READS} reads without an APT frame; check the port and its baud rate.")

    def ask(self, request: Frame) -> Frame:
        """Send a request and return its reply, whatever arrives in between; a fault message is raised."""
        if self._overdue is not None:
            self._skip_overdue_reply()
        self.write(request)
        return self._reply(request.message + 1)

    def _reply(self, message: int) -> Frame:
        self._overdue = message
        for _ in range(MAX_FRAMES_ASIDE):
            frame = self.read()
            if frame.message == message:
                self._overdue = None
                return frame
            if frame.message in (Message.HW_RESPONSE, Message.HW_RICHRESPONSE):
                raise ControllerFault(f"{self.name}: the controller reports {apt.fault_text(frame)}; see its panel.")
            self.notices.append(frame)
        raise TimeoutError(f"{self.name}: {MAX_FRAMES_ASIDE} frames, none of them the reply 0x{message:04X}.")

    def _skip_overdue_reply(self) -> None:
        """Get in step again after a time-out: a late reply must not answer the next question of its kind."""
        probe = Message.REQ_STATUSBITS if self._overdue != Message.GET_STATUSBITS else Message.REQ_POSCOUNTER
        self.adapter.flush_read_buffer()
        self._reader = apt.FrameReader()
        self.write(Frame(probe, CHANNEL))
        self._reply(probe + 1)

    def _receive(self, count: int) -> bytes:
        try:
            return bytes(self.read_bytes(count))
        except VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                return b""
            raise ConnectionError(f"{self.name}: {error.description} Check cable and power.") from error

    def _values(self, request: Message) -> tuple[int, ...]:
        return apt.values(self.ask(Frame(request, CHANNEL)))

    def _sound_status(self) -> Status:
        status = self.status
        if status & apt.FAULTS:
            names = ", ".join(str(bit.name) for bit in status & apt.FAULTS)
            raise ControllerFault(
                f"{self.name}: the controller reports {names} (status 0x{status:08X}); "
                "switch it off, look for the cause, and home again."
            )
        return status

    def _check_target(self, target_mm: float) -> None:
        low, high = self.travel_mm
        check_range(f"{self.name} target", target_mm, low, high, "mm")
        if not _is_homed(self._last_status) and not self.is_homed:
            raise ValueError(f"{self.name}: the axis is not homed, its position means nothing; call home() first.")


def _is_homed(status: Status) -> bool:
    """Tell whether a reference run has ended; during a second one the old flag may still be up."""
    return status & (Status.HOMED | Status.HOMING) == Status.HOMED
