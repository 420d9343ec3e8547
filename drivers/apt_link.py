"""The conversation with one APT controller: a request, its reply, and whatever arrives in between.

Frames that nobody asked for are put aside and looked up later; a fault message is raised. A late reply never answers
the next question of its kind, and noise on the line costs no question: once it is thrown away, the question is put
again. Orders have no reply and are never repeated; one that begins a move makes what was told of an earlier one void.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019).
"""

from __future__ import annotations

from typing import Any

from drivers import apt_codec as apt
from drivers.apt_codec import CHANNEL, Frame
from drivers.apt_messages import Message
from drivers.visa_errors import no_answer, os_errors

MAX_FRAMES_ASIDE = 300  # frames that may come before a reply: half a second of a line full of updates
MAX_READS = 512  # reads without any frame: the line carries something else than APT
MOVES = {Message.MOVE_ABSOLUTE, Message.MOVE_RELATIVE, Message.MOVE_JOG, Message.MOVE_HOME}
SILENCE = "check power and cable, and close Kinesis, XA or APT User if one of them holds the controller"


class ControllerFault(OSError):
    """The controller reports a fault or does not keep a setting; the message names it."""


class AptLink:
    """Frames to and from the controller behind a pymeasure instrument.

    Parameters
    ----------
    instrument : Instrument
        Its adapter carries the bytes, its name stands in the messages.

    Attributes
    ----------
    notices : dict of int to Frame
        The latest frame of each kind that came unasked, by message id.
    """

    def __init__(self, instrument: Any) -> None:
        self._name, self._adapter = instrument.name, instrument.adapter
        self._reader = apt.FrameReader()
        self._overdue: int | None = None
        self.notices: dict[int, Frame] = {}

    def send(self, frame: Frame) -> None:
        """Send one frame; a broken link raises ConnectionError."""
        if frame.message in MOVES:
            self.notices.pop(Message.MOVE_COMPLETED, None)
        with os_errors(self._name, SILENCE):
            self._adapter.write_bytes(frame.encode())

    def ask(self, request: Frame) -> Frame:
        """Send a request and return its reply, of the size that its message asks for.

        Raises
        ------
        TimeoutError
            No reply came, or only part of one.
        ConnectionError
            The link is broken, carries something else than APT, or the reply has another size.
        ControllerFault
            The controller reports a fault.
        """
        n_dropped = self._reader.n_dropped
        try:
            return self._exchange(request)
        except ControllerFault:
            raise
        except OSError:
            if self._reader.n_dropped == n_dropped:
                raise
        return self._exchange(request)

    def values(self, request: Message) -> tuple[int, ...]:
        """Return the fields of the reply to a request, without the channel; raises as `ask` does."""
        return apt.values(self.ask(Frame(request, CHANNEL)))

    def completed_at(self) -> int | None:
        """Return where the controller has said that the last move was completed, in counts; None if it has not."""
        frame = self.notices.get(Message.MOVE_COMPLETED)
        told = None if frame is None else apt.update(frame)
        return None if told is None else told.counts

    def write_verified(self, message: Message, wanted: tuple[int, ...]) -> None:
        """Write a setting, read it back and compare; ControllerFault if it differs."""
        self.send(apt.long_frame(message, CHANNEL, *wanted))
        found = self.values(Message(message + 1))
        if found != wanted:
            raise ControllerFault(
                f"{self._name}: {message.name} was written as {wanted} but reads back as {found}; "
                "switch the controller off and on, and set it up with Kinesis once if this persists."
            )

    def receive(self) -> Frame:
        """Return the next frame that arrives, whatever it is; raises as `ask` does."""
        for _ in range(MAX_READS):
            frame = self._reader.next_frame()
            if frame is not None:
                return frame
            n_wanted = self._reader.n_missing
            data = self._read_bytes(n_wanted)
            self._reader.feed(data)
            if len(data) < n_wanted:
                self._reader.give_up()
                raise no_answer(self._name, SILENCE)
        raise ConnectionError(
            f"{self._name}: {MAX_READS} reads without an APT frame; check the port and its baud rate."
        )

    def discard_input(self) -> None:
        """Throw away what has arrived and was not read."""
        self._adapter.flush_read_buffer()
        self._reader.clear()

    def _exchange(self, request: Frame) -> Frame:
        if self._overdue is not None:
            self._skip_overdue_reply()
        self.send(request)
        return self._reply(request.message + 1)

    def _skip_overdue_reply(self) -> None:
        """Get in step again: replies keep their order, so that what comes before another kind of reply is late."""
        probe = Message.REQ_STATUSBITS if self._overdue != Message.GET_STATUSBITS else Message.REQ_POSCOUNTER
        self.discard_input()
        self.send(Frame(probe, CHANNEL))
        self._reply(probe + 1)

    def _reply(self, message: int) -> Frame:
        self._overdue = message
        for _ in range(MAX_FRAMES_ASIDE):
            frame = self.receive()
            if frame.message == message:
                apt.check(frame)
                self._overdue = None
                return frame
            if frame.message in (Message.HW_RESPONSE, Message.HW_RICHRESPONSE):
                raise ControllerFault(f"{self._name}: the controller reports {apt.fault_text(frame)}; see its panel.")
            self.notices[frame.message] = frame
        raise TimeoutError(f"{self._name}: {MAX_FRAMES_ASIDE} frames, none of them the reply 0x{message:04X}.")

    def _read_bytes(self, count: int) -> bytes:
        """Return what arrives in time, fewer bytes than asked for if the rest does not."""
        try:
            with os_errors(self._name, SILENCE):
                return bytes(self._adapter.read_bytes(count))
        except TimeoutError:
            return b""
