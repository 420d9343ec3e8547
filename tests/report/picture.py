"""Makes docs/img/report.png, the page about the shipped line scan as Chromium shows it.

``python tests/report/picture.py docs/img/report.png``; `BROWSER` in the environment is another Chromium, or one with
options.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

SIZE = "1010,1130"
"""Of the window in pixels of the page: three figures side by side, down to the end of their captions."""
SCALE = 0.88
N_COLOURS = 256


def main(picture: Path) -> None:
    """Measure the line, write its page and take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        run = (sys.executable, "-m", "tplm_daq", "run", "configs/scan_line.yaml", "--report", "--out", folder)
        subprocess.run(run, check=True)
        (page,) = Path(folder).glob("*.html")
        shot = Path(folder) / "shot.png"
        browser = shlex.split(os.environ.get("BROWSER", "chromium"))
        look = ("--headless", "--disable-gpu", "--hide-scrollbars", f"--force-device-scale-factor={SCALE}")
        subprocess.run([*browser, *look, f"--window-size={SIZE}", f"--screenshot={shot}", page.as_uri()], check=True)
        with Image.open(shot) as image:
            colours = image.convert("RGB").quantize(
                N_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=5, dither=Image.Dither.NONE
            )
        colours.save(picture, optimize=True)
    print(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
