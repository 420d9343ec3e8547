"""``python -m tplm_daq`` is ``tplm``, and hears Ctrl-C while the command line is still being imported."""

from __future__ import annotations

from typing import NoReturn

from tplm_daq.interrupts import end_at_once_on_signals


def main() -> NoReturn:
    """Run the command line."""
    end_at_once_on_signals()
    from tplm_daq.cli import main as run_command_line

    run_command_line()


if __name__ == "__main__":
    main()
