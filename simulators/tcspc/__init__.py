"""What the doubles of the vendor's counters share: the C face, measurements in the course of time, rate meters."""
