"""Train eight seeds of the smallest GAN side by side and see where each ends."""

import tempfile

import sparring

recipe = sparring.find_recipe("pattern-1010").replace(seeds=8)
run = sparring.train(recipe, out=tempfile.mkdtemp() + "/first")

ends = sparring.sample(run, count=1)[:, 0]  # (8, 4): what each generator makes of 0.5
losses = run.story.last("d_loss")  # (8,): D's loss over the last rounds
for seed, end, loss in zip(recipe.seeds, ends, losses, strict=True):
    print(f"seed {seed}: {end.round(2)}, D's loss {loss:.3f}")
mean, spread = losses.mean(), losses.std(ddof=1)
print(f"D's loss over {len(losses)} seeds: {mean:.3f} ± {spread:.3f} (SD); 0.25 when it cannot tell")
