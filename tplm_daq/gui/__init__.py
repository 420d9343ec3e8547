"""The operator's window; the only place that knows Qt."""
