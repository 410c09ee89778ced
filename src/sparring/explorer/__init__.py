"""The explorer: pages in the browser on runs. A page turns into calls below; nothing is computed here.

It needs NiceGUI (`pip install "sparring[explore]"`). The training is always another process: closing the browser, or
stopping this server, costs a run nothing.
"""
