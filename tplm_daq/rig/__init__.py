"""The opened microscope: links, coordinates, roles and the safe state."""
