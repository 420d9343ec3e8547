"""What notebooks use: runs, series and lattices that show themselves, one module each."""
