"""The mistakes that a watch names, as docs/your-loop.md and its Chinese twin show them: a line that has each, that
line mended, and what the curves look like. A test checks that every such rule is here."""

from __future__ import annotations

from typing import NamedTuple

from sparring import catalogue
from sparring.analysis.diagnosis import rules


class Mistake(NamedTuple):
    """One mistake."""

    wrong: str
    right: str
    curves: str
    title_zh: str
    curves_zh: str
    advice_zh: str


MISTAKES = {
    "bug-double-sigmoid": Mistake(
        "criterion = nn.BCEWithLogitsLoss()      # and D ends in nn.Sigmoid()",
        "criterion = nn.BCELoss()                # or take the sigmoid off D",
        "D(real) and D(fake), as the loss sees them, stay between 0.5 and 0.731; D's loss barely falls. With "
        "a softmax before `CrossEntropyLoss`, the probability of real stays between 0.269 and 0.731.",
        "sigmoid 用了两次",
        "损失函数看到的 D(real)、D(fake) 始终在 0.5 到 0.731 之间，D 的损失几乎不下降。"
        "`CrossEntropyLoss` 之前用了 softmax 时，真实的概率始终在 0.269 到 0.731 之间。",
        "去掉 D 末尾的 sigmoid，或者改用 BCELoss。",
    ),
    "bug-logits-in-bce": Mistake(
        "loss = F.binary_cross_entropy(D(x), ones)    # D has no sigmoid",
        "loss = F.binary_cross_entropy_with_logits(D(x), ones)",
        "torch stops with an error as soon as a score leaves 0 to 1; a logarithm by hand gives NaN.",
        "BCE 收到的是 logits",
        "分数一离开 0 到 1，torch 就会报错；手写的对数会得到 NaN。",
        "改用 BCEWithLogitsLoss，或者让 D 以 sigmoid 结尾。",
    ),
    "bug-stale-gradients": Mistake(
        "loss_d.backward(); opt_d.step()              # no zero_grad()",
        "opt_d.zero_grad(); loss_d.backward(); opt_d.step()",
        "Gradient norms grow from round to round; both losses swing.",
        "梯度没有清零",
        "梯度范数一轮比一轮大，两个损失来回摆动。",
        "在 backward() 之前调用 opt.zero_grad()。",
    ),
    "bug-lost-gradients": Mistake(
        "loss_real.backward(); opt_d.zero_grad(); loss_fake.backward(); opt_d.step()",
        "opt_d.zero_grad(); loss_real.backward(); loss_fake.backward(); opt_d.step()",
        "D calls everything generated, real examples too: it never learns of them. Where all gradients of a player are "
        "cleared between backward() and step(), its loss stays where it began.",
        "梯度在更新之前被清零",
        "D 把一切都判为生成的，真实样本也不例外：它从未学到真实样本。如果一方的梯度在 backward() 与 step() 之间"
        "全部清零，它的损失就停在最初的水平。",
        "每一步只清零一次，在第一次 backward() 之前。",
    ),
    "bug-fake-not-detached": Mistake(
        "loss_d = bce(D(real), ones) + bce(D(G(z)), zeros)   # G's gradients are kept",
        "loss_d = bce(D(real), ones) + bce(D(G(z).detach()), zeros)",
        "G's loss does not fall: its steps partly help D.",
        "训练 D 时生成样本没有 detach",
        "G 的损失不下降：它的每一步有一部分在帮助 D。",
        "训练 D 时用 D(G(z).detach())，并在 G 的 backward() 之前清零 G 的梯度。",
    ),
    "bug-generator-cut-off": Mistake(
        "loss_g = bce(D(fake.detach()), ones)         # in G's step",
        "loss_g = bce(D(fake), ones)",
        "G's gradient norm is 0, its samples never change, and D soon wins. Beside another term, as a distance to "
        "targets, G learns by that alone.",
        "G 的损失传不到 G",
        "G 的梯度范数是 0，样本从不变化，D 很快获胜。若损失里还有别的项（例如与目标的距离），G 就只从那一项学习。",
        "在 G 的一步里不要 detach、.data、numpy 或 no_grad。",
    ),
    "bug-wrong-parameters": Mistake(
        "opt_d = Adam(G.parameters(), lr=2e-4)",
        "opt_d = Adam(D.parameters(), lr=2e-4)",
        "One player's loss never moves, or G gets worse with every step of D. No curve shows a part that is in no "
        "optimizer.",
        "优化器拿错了参数",
        "其中一方的损失从不变化，或者 D 每走一步 G 就变差。有一部分不在任何优化器里时，曲线看不出来。",
        "每个优化器只放自己网络的参数，并且在网络建好之后创建。",
    ),
    "bug-labels": Mistake(
        "loss_g = bce(D(fake), zeros)                 # G is asked to look fake",
        "loss_g = bce(D(fake), ones)",
        "D's loss goes to 0 at once, or both losses fall together. So it is where D is never shown generated examples, "
        "or real ones, in its own step.",
        "标签弄反了",
        "D 的损失立刻降到 0，或者两个损失一起下降。D 自己的一步里从没见过生成样本（或真实样本）时也是如此。",
        "训练 D 时真实样本为 1、生成样本为 0；训练 G 时生成样本为 1。",
    ),
    "bug-shape-broadcast": Mistake(
        "loss = ((D(x) - labels) ** 2).mean()         # (B, 1) and (B,)",
        "loss = ((D(x).squeeze(1) - labels) ** 2).mean()",
        "Both losses settle near the variance of the labels, and D(real) equals D(fake).",
        "(B, 1) 与 (B,) 被广播成 (B, B)",
        "两个损失停在标签的方差附近，D(real) 与 D(fake) 相等。",
        "让两者形状相同：D(x).squeeze(1)，或者标签用 (B, 1)。",
    ),
    "bug-data-range": Mistake(
        "real = images                                # 0 to 255, and G ends in tanh",
        "real = images / 127.5 - 1",
        "D's loss is 0 after a few rounds: the range alone tells real from generated.",
        "数据范围与 G 的输出范围不符",
        "几轮之后 D 的损失就是 0：只看范围就能分辨真假。",
        "G 以 tanh 结尾就把数据缩放到 [-1, 1]，以 sigmoid 结尾就缩放到 [0, 1]。",
    ),
    "bug-fixed-noise": Mistake(
        "z = torch.randn(64, 100)                     # before the loop",
        "z = torch.randn(64, 100)                     # inside it, in every step",
        "Losses look fine, and pictures of other latent vectors are poor. If all latent vectors are one number, such "
        "as zeros, all examples are the same.",
        "每轮都用同样的潜向量",
        "损失看起来正常，但换一批潜向量画出来的图很差。如果潜向量全是同一个数（比如 0），生成的样本就全都一样。",
        "每一步都重新抽取 z。",
    ),
    "bug-eval-mode": Mistake(
        "G.eval(); save(G(z)); ...                    # and never G.train() again",
        "G.eval(); save(G(z)); G.train()",
        "Nothing stands out in the losses; batch norm follows old statistics, dropout does nothing.",
        "在 eval 模式下训练",
        "损失看不出异常；BatchNorm 用的是旧统计量，Dropout 不起作用。",
        "每次 eval() 之后、下一步训练之前调用 train()。",
    ),
    "bug-shared-weights": Mistake(
        "D = nn.Sequential(layer, ...); G = nn.Sequential(..., layer)",
        "D = nn.Sequential(copy.deepcopy(layer), ...)",
        "Both losses jump: each step of one player changes the other.",
        "G 和 D 共用了权重",
        "两个损失都在跳动：一方每走一步都会改变另一方。",
        "各建各的层，或者用 copy.deepcopy。",
    ),
    "bug-frozen": Mistake(
        "for p in D.parameters(): p.requires_grad_(False)   # for G's step, and not turned on again",
        "for p in D.parameters(): p.requires_grad_(True)    # before D's step",
        "A player's loss stays where it began.",
        "有权重没有在训练",
        "这一方的损失停在开始时的值。",
        "要训练的参数 requires_grad_(True)，并且都放进优化器。",
    ),
    "bug-one-batch": Mistake(
        "real = next(iter(loader))                    # the first batch, in every round",
        "for real in loader: ...                      # with shuffle=True",
        "Losses look fine, and samples resemble a handful of images.",
        "总是同一批数据，或者没有打乱",
        "损失看起来正常，但样本只像那几张图。",
        "每轮取新的一批，DataLoader 设 shuffle=True。",
    ),
    "bug-learning-rate": Mistake(
        "opt_d = Adam(D.parameters(), lr=1.0)",
        "opt_d = Adam(D.parameters(), lr=2e-4)",
        "With 0 a loss never moves; far too high, it jumps and turns to NaN.",
        "学习率是 0 或者离谱",
        "学习率为 0 时损失从不变化；太大时损失跳动并变成 NaN。",
        "Adam 一般用 2e-4 左右。",
    ),
    "bug-retained-graph": Mistake(
        "losses.append(loss_g)",
        "losses.append(loss_g.item())",
        "Nothing in the curves; memory grows until the process is killed.",
        "保留了每一轮的计算图",
        "曲线看不出异常；内存不断增长，直到进程被强制终止。",
        "记录数字而不是张量：loss.item()。",
    ),
    "bug-integer-images": Mistake(
        "x = images * 2 - 255                         # still uint8: goes round at 256",
        "x = images.float() / 127.5 - 1",
        "D wins quickly: real images look like noise, or are black and white.",
        "8 位整数运算溢出",
        "D 很快获胜：真实图像看起来像噪声，或者只剩黑白。",
        "先转成浮点数再缩放。",
    ),
    "bug-init": Mistake(
        "nn.init.constant_(layer.weight, 0.1)",
        "nn.init.normal_(layer.weight, 0.0, 0.02)",
        "All units of a layer stay equal; samples have no detail.",
        "权重的初值全都一样",
        "同一层的单元始终相同，样本没有细节。",
        "用 torch 自带的初始化，或者正态分布。",
    ),
    "bug-unused-penalty": Mistake(
        "slope, = autograd.grad(score.sum(), x)       # no create_graph",
        "slope, = autograd.grad(score.sum(), x, create_graph=True)",
        "The critic's gradient grows without bound, as without the penalty.",
        "梯度惩罚没有起作用",
        "D 的梯度无限增大，就像没有惩罚项一样。",
        "autograd.grad 要 create_graph=True，并把惩罚项加进 D 的损失。",
    ),
}  # fmt: skip


def mistakes_in_markdown(chinese: bool = False) -> str:
    """Every mistake: a line that has it, what the curves look like, the sentence that it gets, the line mended."""
    lines: list[str] = []
    for name, mistake in MISTAKES.items():
        finding = rules()[name](rules()[name].sick())
        assert finding is not None
        summary = catalogue.entries("rules")[name].text.partition("\n\n")[0].replace("\n", " ")
        lines += [f"### {mistake.title_zh}：`{name}`" if chinese else f"### `{name}`", ""]
        lines += [] if chinese else [summary, ""]
        lines += ["```python", f"{mistake.wrong}    # wrong" if "#" not in mistake.wrong else mistake.wrong, "```", ""]
        lines += [f"曲线：{mistake.curves_zh}" if chinese else f"The curves: {mistake.curves}", ""]
        lines += ["诊断给出：" if chinese else "What it gets:", "", f"> {finding.claim}", ""]
        lines += [f"改法：{mistake.advice_zh}" if chinese else "Mended:", "", "```python", mistake.right, "```", ""]
    return "\n".join(lines).rstrip()
