"""From time-tag words and histograms to counts that can be fitted."""
