"""Train eight seeds of the smallest GAN side by side and compare where each of them ends."""

import tempfile

import sparring

recipe = sparring.recipe("pattern-1010").replace(seeds=8)
run = sparring.train(recipe, out=tempfile.mkdtemp() + "/first")

outputs = run.sample(count=1)[:, 0]  # (8, 4): each generator's output for the constant input 0.5
losses = run.curves["d_loss"][-50:].mean(0)  # (8,): D's loss, averaged over its last fifty points
for seed, output, loss in zip(recipe.seeds, outputs, losses, strict=True):
    print(f"seed {seed}: {output.round(2)}, D's loss {loss:.3f}")
mean, spread = losses.mean(), losses.std(ddof=1)
print(f"D's loss over {len(losses)} seeds: {mean:.3f} ± {spread:.3f} (SD); at equilibrium it is 0.25")
