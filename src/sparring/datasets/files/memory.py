"""How much memory and disk is free, and what images take once they are decoded."""

from __future__ import annotations

import shutil
from pathlib import Path

CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files that say, in a container, how much memory it may use and how much it uses."""


def available_memory() -> int:
    """Bytes of memory that are free for this process: of the machine, its container and its own limit."""
    import psutil

    free = psutil.virtual_memory().available
    for limit, used in CGROUPS:
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()) + _cached(Path(used)))
        except (OSError, ValueError):  # there is no container, or no limit ("max")
            continue
    return int(max(0, min(free, _address_space())))


def _cached(used: Path) -> int:
    """Bytes that count as used but are copies of files, which the system gives up first; 0 where it does not say."""
    try:
        lines = used.with_name("memory.stat").read_text().splitlines()
    except OSError:
        return 0
    counts = dict(line.split(maxsplit=1) for line in lines if " " in line)
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def available_disk(folder: Path) -> int:
    """Bytes that are free on the disk of a folder, which need not exist yet; 0 where the system does not say."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def as_size(count: float) -> str:
    """A number of bytes in words: 312 kB, 1.4 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    number = f"{count:.1f}".removesuffix(".0") if unit == "GB" and count < 99.5 else f"{count:,.0f}"
    return f"{number} {unit}"


def _address_space() -> float:
    """What `ulimit -v` leaves to this process."""
    import psutil

    try:
        import resource
    except ImportError:  # Windows
        return float("inf")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return float("inf") if limit == resource.RLIM_INFINITY else limit - psutil.Process().memory_info().vms
