"""Exit statuses by which a worker tells its parent why it stopped; 0: no case is free."""

INTERRUPT = 130
DISK = 74
"""The disk is full (EX_IOERR)."""
REPLACE = 75
"""After an error that is none of ours; another process should go on (EX_TEMPFAIL)."""
