"""What PicoQuant's libraries have in common: finding and loading one, opening a device, errors, and counting."""
