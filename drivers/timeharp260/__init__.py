"""PicoQuant TimeHarp 260 PICO and NANO: `device` is the counter, `library` loads the vendor's TH260Lib 3.2."""
