"""Double of the PicoHarp 300 at its wire, the vendor's function table: `table` is what a driver is given."""
