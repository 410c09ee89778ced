"""Fetch onnxruntime-web from npm and put the parts that the offline page inlines into src/sparring/ship/web/.

    python tools/vendor_onnxruntime_web.py

The page needs two of the package's files: the WASM build for processors without WebGPU, gzipped, and the script around
it, whose exports become one global, `ort`, because nothing can import from a script inside a page.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""As npm's registry states it: another file is refused."""
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
WEB = Path(__file__).parents[1] / "src/sparring/ship/web"


def main() -> None:
    """Write the script, the gzipped WASM and the license."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", f"onnxruntime-web@{VERSION}"], cwd=folder, check=True, capture_output=True)
        archive = Path(folder) / f"onnxruntime-web-{VERSION}.tgz"
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY:
            raise SystemExit(f"{archive.name} is {found}, and {INTEGRITY} is expected")
        with tarfile.open(archive) as files:
            script, wasm = (_content(files, f"package/dist/{name}") for name in (SCRIPT, WASM))
    (WEB / "onnxruntime-web.js").write_text(_as_global(script.decode()), encoding="utf-8")
    packed = gzip.compress(wasm, 9, mtime=0)
    (WEB / "onnxruntime-web.wasm.gz").write_bytes(packed)
    print(f"onnxruntime-web {VERSION}: script {len(script):,} bytes, WASM {len(wasm):,}, gzipped {len(packed):,}")


def _content(files: tarfile.TarFile, name: str) -> bytes:
    opened = files.extractfile(name)
    assert opened is not None, name
    return opened.read()


def _as_global(script: str) -> str:
    """The module with `export{a as B, ...}` at its end turned into `globalThis.ort = {B: a, ...}`.

    It also takes a page's origin for an address, which that of a file is not: Firefox calls it "null".
    """
    script, count = re.subn(
        r'new URL\(new (\w+)\("ort\.wasm\.bundle\.min\.mjs",import\.meta\.url\)\.href,\w+\)\.href',
        r'new \1("ort.wasm.bundle.min.mjs",import.meta.url).href',
        script,
    )
    assert count == 1, "the script has changed: look where it makes its own address"
    body, _, end = script.rpartition("export{")
    names = re.findall(r"([\w$]+) as ([\w$]+)", end.partition("}")[0])
    pairs = ",".join(f"{name}:{local}" for local, name in names)
    return f"{body}globalThis.ort={{{pairs}}};\n"


if __name__ == "__main__":
    main()
