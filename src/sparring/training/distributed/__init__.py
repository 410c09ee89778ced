"""One run by many processes: its members distributed over shards, trained as runs of their own, and joined.

Nothing is imported here, so that a worker process can run `sparring.training.distributed.worker` as its program.
"""
