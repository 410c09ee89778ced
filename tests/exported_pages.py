"""What is asked of an exported page in a browser: whether it is ready, and what its generator makes."""

from __future__ import annotations

READY = "document.querySelector('main').getAttribute('aria-busy') === 'false'"
ALL = """(async () => {
    const { generate, facts, latents } = generator, size = facts.size;
    const rows = Array.from({ length: 64 }, (_, k) => latents.slice(k * size, (k + 1) * size));
    return Array.from(await generate(rows, rows.map((_, k) => facts.classes ? k % facts.classes : 0)));
})()"""
"""What the page's generator makes of the run's latent vectors 0 to 63."""
