"""Path, passes, points, guards and the runner that orders them."""
