"""A run is a folder of plain files. This room writes and reads them, and loads no torch."""

from sparring.record.files import one_process_at_a_time as one_process_at_a_time
from sparring.record.files import training_lock as training_lock
from sparring.record.files import write_atomically as write_atomically
from sparring.record.journal import Journal as Journal
from sparring.record.run import RunFolder as RunFolder
from sparring.record.story import Story as Story
