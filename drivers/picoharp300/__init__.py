"""PicoQuant PicoHarp 300: `device` is the counter, `library` loads the vendor's PHLib 3.0 that it needs."""
