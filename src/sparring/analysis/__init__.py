"""What runs say: facts, statistics, diagnosis, measurements, comparisons."""
