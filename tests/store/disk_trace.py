"""Replays what a process wrote to its disk, one write at a time, from a trace made by strace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "pwrite64,write,lseek,ftruncate,openat,close,rename,sendfile,copy_file_range"
CALL = re.compile(r"\d+\s+(\w+)\((.*)\)\s+= (\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class Disk:
    """Files by name as they would stand after a kill, and what the process has said so far."""

    images: dict[str, bytearray] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    open_names: dict[int, str] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)

    def obey(self, call: str, arguments: str, result: int) -> str | None:
        """Carry out one system call; return the name of the file that it changed."""
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
        numbers = [int(text) for text in re.findall(r"(?:^|, )(-?\d+)(?=,|$)", TEXT.sub("", arguments))]
        if call == "openat":
            return self._open(result, texts[0], arguments)
        if call == "rename":
            old, new = (Path(text.decode()).name for text in texts)
            if old not in self.images:
                return None
            self.images[new] = self.images.pop(old)
            return new
        if call == "close":
            self.open_names.pop(numbers[0], None)
        elif call == "write" and numbers[0] == 1:
            self.said += texts[0].decode().split()
        elif call in ("sendfile", "copy_file_range"):
            target, source = (numbers[0], numbers[1]) if call == "sendfile" else (numbers[1], numbers[0])
            if target in self.open_names:
                self.images[self.open_names[target]] = bytearray(self.images[self.open_names[source]])
        elif numbers[0] in self.open_names:
            return self._change(call, numbers, texts, result)
        return None

    def _open(self, descriptor: int, path: bytes, arguments: str) -> None:
        name = Path(path.decode()).name
        if not name.endswith((".h5", ".h5.new")):
            self.open_names.pop(descriptor, None)
            return
        self.open_names[descriptor] = name
        self.positions[descriptor] = 0
        if "O_TRUNC" in arguments or name not in self.images:
            self.images[name] = bytearray()

    def _change(self, call: str, numbers: list[int], texts: list[bytes], result: int) -> str | None:
        descriptor, name = numbers[0], self.open_names[numbers[0]]
        image = self.images[name]
        if call == "lseek":
            self.positions[descriptor] = result
            return None
        if call == "ftruncate":
            image.extend(bytes(max(0, numbers[1] - len(image))))
            del image[numbers[1] :]
            return name
        start = numbers[-1] if call == "pwrite64" else self.positions[descriptor]
        data = texts[0][:result]
        image.extend(bytes(max(0, start + len(data) - len(image))))
        image[start : start + len(data)] = data
        self.positions[descriptor] = start + len(data)
        return name


def states(trace: Path, name: str) -> Iterator[Disk]:
    """Yield the disk after each change of the file of this name."""
    disk = Disk()
    with trace.open() as lines:
        for line in lines:
            found = CALL.match(line)
            if found and disk.obey(found[1], found[2], int(found[3])) == name:
                yield disk
