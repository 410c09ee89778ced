"""One run by many processes: its members dealt out, trained in parts as runs of their own, and joined."""

from sparring.dealt.deal import Deal as Deal
from sparring.dealt.deal import Part as Part
from sparring.dealt.sitting import Sitting as Sitting
from sparring.dealt.training import train as train
