from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

from sparring.networks.dcgan import DCGANGenerator
from sparring.networks.sngan import SNGANGenerator
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import has_images, is_own, output_for


@final
@dataclass(frozen=True)
class ResizeConvolution(Remedy):
    """Repeated pixels and convolutions in place of transposed ones: DCGAN's generator with `upsampling=nearest`.

    SNGAN's generator in place of a network of one's own; or, in that network, `nn.Upsample(scale_factor=2)` and a
    convolution of 3 x 3 in place of each transposed one, or kernels that the stride divides (4 x 4 with stride 2).
    """

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        generator: Any = recipe.generator
        if isinstance(generator, DCGANGenerator):
            return {} if generator.upsampling == "nearest" else {"generator": replace(generator, upsampling="nearest")}
        output = output_for(recipe)
        if not is_own(generator) or not has_images(recipe) or output == "none":
            return {}
        return {"generator": SNGANGenerator(output=output)}
