"""One run by many processes: its members dealt out, trained in parts as runs of their own, and joined."""

from sparring.training.distributed.coordinator import train as train
from sparring.training.distributed.shards import Shard as Shard
from sparring.training.distributed.shards import ShardPlan as ShardPlan
from sparring.training.distributed.status import Session as Session
