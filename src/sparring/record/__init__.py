"""A run is a folder of plain files. This floor writes and reads them, and loads no torch."""

from sparring.record.journal import Journal as Journal
from sparring.record.run import Run as Run
from sparring.record.run import alone as alone
from sparring.record.run import locked as locked
from sparring.record.run import write_whole as write_whole
from sparring.record.story import Story as Story
