"""Compiled rounds. Others import `plan.plan` and `plan.compile_ahead` alone.

plan            decides whether compiling pays, and returns the function that plays rounds
costs           estimates what compiling costs and saves
compiled        a game played by compiled code: one specialization for each course that a round can take
tracer          records `game.play()` as one graph, with symbolic scalars and decompositions
aot             compiles a graph ahead of time, and caches the library
builder         the process that runs the compiler
cuda_graph      replays a graph on a GPU
groups          members played in groups that fit a core's cache, in several threads
"""
