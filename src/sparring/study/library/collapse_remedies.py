"""What does each of the four remedies for mode collapse buy, alone and together?

Write-up 001 (section 2.3.7) names four remedies for the mode collapse of the first MNIST GAN, `num-gan`: another
optimizer, other networks, another latent distribution, another loss. It gives no result for any of them. Here all
sixteen combinations are trained, at full length, so that every effect is seen in eight contexts, and interactions too.
"""

from __future__ import annotations

from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.mse import MSE
from sparring.recipe import Recipe, find_recipe
from sparring.study.definition import Study
from sparring.study.factors import Factor


def study() -> Study:
    """2^4 combinations x 8 seeds of num-gan, 60,000 rounds each."""
    num_gan = find_recipe("num-gan")
    adam, changed, normal = (find_recipe(f"num-gan-{name}") for name in ("adam", "network", "randn"))

    def with_networks(recipe: Recipe) -> Recipe:
        return recipe.replace(generator=changed.generator, discriminator=changed.discriminator)

    factors = [
        Factor("optimizer", {"SGD 0.01": num_gan.generator_optimizer, "Adam 1e-4": adam.generator_optimizer}),
        Factor("networks", {"sigmoid": None, "LeakyReLU + layer norm": with_networks}),
        Factor("latent", {"uniform": num_gan.latent, "normal": normal.latent}),
        Factor("objective", {"MSE": MSE(), "cross-entropy": BCEWithLogits()}),
    ]
    return Study(
        num_gan,
        factors,
        seeds=8,
        outcome="frechet-distance",
        name="collapse-remedies",
        question="What does each of the four remedies for mode collapse buy, alone and together?",
    )
