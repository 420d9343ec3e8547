"""Where recipe, rig, runner, writer and analysis meet."""
