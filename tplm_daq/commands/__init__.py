"""The commands of `tplm`: parse, call the workflow, print; what they have in common is in `options`."""
