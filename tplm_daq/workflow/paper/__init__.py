"""The published figures, measured anew on a rig and on the lattice, with the published numbers beside ours."""
