"""``python -m tplm_daq`` is ``tplm``."""

from tplm_daq.cli import main

if __name__ == "__main__":
    main()
