"""Listens to a loop: to its modules, its optimizers and its backward passes.

What is put in place here is taken away again by `remove`; nothing of it changes what is computed. A callback that fails
is reported once, and the loop goes on without a watch.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch._dynamo.callback import callback_handler
from torch.optim import Optimizer
from torch.overrides import _get_current_function_mode_stack  # pyright: ignore[reportPrivateUsage]
from torch.utils.weak import WeakIdKeyDictionary

from sparring.record.loop import Who
from sparring.training.watch.examination import is_compiled, is_wrapper
from sparring.training.watch.provenance import Provenance
from sparring.training.watch.transforms import NOT_SEEN, bare, inside_transform, outside

Remove = Callable[[], None]
COMPILED = (
    "the loop calls compiled functions, inside which tensors cannot be followed. If they are G or D, give "
    "sparring.watch what torch.compile returned; else say what is real, what was generated and what the losses are: "
    "D(watch.real(x)), D(watch.fake(x)), watch.losses(d=..., g=...)"
)
Before = Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]
After = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], None]


class Listener(Protocol):
    """What receives of a loop."""

    logged: bool
    transformed: bool
    problems: dict[str, str]

    def g_called(self, inputs: Sequence[Any], names: Sequence[str]) -> None: ...
    def g_returned(self, inputs: Sequence[Any], output: Any) -> None: ...
    def d_returned(self, inputs: Sequence[Any], output: Any) -> None: ...
    def backward_begins(
        self, losses: Sequence[Tensor], retain: bool, inputs: Sequence[Tensor] = (), adds: bool = True
    ) -> None: ...
    def backward_ended(self) -> None: ...
    def slope_taken(self, outputs: Sequence[Tensor], slopes: Sequence[Tensor], learnable: bool) -> None: ...
    def steppers(self, who: Who) -> Sequence[Who]: ...
    def step_waits(self, who: Who) -> None: ...
    def step_begins(self, who: Who, optimizer: Optimizer) -> None: ...
    def step_ended(self, who: Who, optimizer: Optimizer) -> None: ...


class Hooks:
    """Everything that listens, from `install` to `remove`."""

    def __init__(self, listener: Listener, provenance: Provenance, failed: Callable[[Exception], None]):
        self._listener, self._provenance, self._failed = listener, provenance, failed
        self._removes: list[Remove] = []
        self._base_stack: list[Any] = []
        self._unscaled = WeakIdKeyDictionary()
        """A loss that a GradScaler has scaled -> the loss itself."""
        self.after_d: Callable[[Sequence[Any]], None] = lambda _: None
        """Receives what D was given, after the listener."""
        self.after_g: Callable[[Any], None] = lambda _: None
        """Receives what G returned, after the listener."""
        self.deaf = 0
        """Above 0 nothing is passed on: the watch itself calls the networks."""
        self._aside: list[Provenance] = []
        self._calling = 0
        """How many of the players' calls are going on, one inside another."""
        self._compiled = False
        """Whether the players are, in whole or in part: they are called without the mode on the stack."""
        self._given_up = False
        """Whether the mode stays off the stack, because something else is compiled."""

    def install(self, g: nn.Module, d: nn.Module, optimizers: Mapping[Who, Sequence[Optimizer]]) -> None:
        """Begin to listen."""
        self._base_stack = list(_get_current_function_mode_stack())
        self._compiled = is_compiled(g) or is_compiled(d)
        self._listen_to_compiler()
        for who, module in (("G", g), ("D", d)):
            before, after = self._around_call("G" if who == "G" else "D")
            if module._compiled_call_impl is not None:  # pyright: ignore[reportPrivateUsage]
                self._wrap_compiled(module, before, after)
            elif is_wrapper(module):
                self._removes.append(module.register_forward_pre_hook(before, with_kwargs=True).remove)
                self._removes.append(module.register_forward_hook(after, with_kwargs=True).remove)
            else:
                self._wrap_forward(module, before, after)
        for who, some in optimizers.items():
            for optimizer in some:
                self._removes += [handle.remove for handle in self._listen_to(who, optimizer)]
        self._listen_to_autograd()

    def _around_call(self, who: Who) -> tuple[Before, After]:
        """What is done before and after a player is called."""
        listener = self._listener

        def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if who == "G":
                self._tell(listener.g_called, (*args, *kwargs.values()), tuple(kwargs))
            if not torch.compiler.is_compiling():
                self._calling += 1
                self._provenance.inside = True
                if self._compiled and self.following and self.stop_following():
                    self._aside.append(self._provenance)

        def after(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            if not torch.compiler.is_compiling():
                self._calling -= 1
                self._provenance.inside = self._calling > 0
                if self._aside:
                    self._aside.pop().__enter__()
            returned = listener.g_returned if who == "G" else listener.d_returned
            self._tell(returned, (*args, *kwargs.values()), output)
            if who == "D":
                self._tell(self.after_d, (*args, *kwargs.values()))
            else:
                self._tell(self.after_g, output)

        return before, after

    def _wrap_forward(self, module: nn.Module, before: Before, after: After) -> None:
        """Listen to `forward` of this module alone, which programs also call without the module's hooks.

        It is put into the class: a copy of the module, or a file of it, must know nothing of this.
        """
        kind = type(module)
        own = kind.__dict__.get("forward")
        forward = kind.forward

        @functools.wraps(forward)
        def watched(called: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if called is not module:
                return forward(called, *args, **kwargs)
            before(called, args, kwargs)
            output = forward(called, *args, **kwargs)
            after(called, args, kwargs, output)
            return output

        kind.forward = watched
        self._removes.append(
            functools.partial(setattr, kind, "forward", own)
            if own is not None
            else functools.partial(delattr, kind, "forward")
        )

    def _wrap_compiled(self, module: nn.Module, before: Before, after: After) -> None:
        """Listen to calls of a module that `compile` has compiled in place, outside of what is compiled."""
        call = cast(Callable[..., Any], module._compiled_call_impl)  # pyright: ignore[reportPrivateUsage]

        def watched(*args: Any, **kwargs: Any) -> Any:
            before(module, args, kwargs)
            output = call(*args, **kwargs)
            after(module, args, kwargs, output)
            return output

        module._compiled_call_impl = watched  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        self._removes.append(functools.partial(setattr, module, "_compiled_call_impl", call))

    def _listen_to_compiler(self) -> None:
        """Nothing is compiled with the mode on the stack: what is would look for it there in every call."""

        def begins(*_: Any) -> None:
            if not self.following or not self.stop_following():
                return
            if self._calling and not self._compiled:
                self._compiled = True
                self._aside.append(self._provenance)
                return
            self._given_up = True
            self._listener.problems["compiled"] = COMPILED

        callback_handler.register_start_callback(begins)

        def ends() -> None:
            if begins in callback_handler.start_callbacks:  # the loop may have reset the compiler
                callback_handler.remove_start_callback(begins)

        self._removes.append(ends)

    def remove(self) -> None:
        """Take every hook away again, in whatever state."""
        self.stop_following()
        while self._removes:
            self._removes.pop()()

    @property
    def following(self) -> bool:
        """Whether the mode is on the stack."""
        return any(mode is self._provenance for mode in _get_current_function_mode_stack())

    def follow(self) -> None:
        """Put the mode on the stack, if nobody else's mode came there since the watch began."""
        stack = _get_current_function_mode_stack()
        if not self._given_up and not self.following and len(stack) == len(self._base_stack):
            self._provenance.__enter__()

    def stop_following(self) -> bool:
        """Take the mode off the stack, if it is on top of it. Returns whether it is gone."""
        stack = _get_current_function_mode_stack()
        if stack and stack[-1] is self._provenance:
            self._provenance.__exit__(None, None, None)
        return not self.following

    def unnoticed(self) -> AbstractContextManager[None]:
        """A block in which the watch itself computes, which nothing here notices."""
        return _Unnoticed(self, self._provenance)

    def unscaled(self, loss: Tensor) -> Tensor:
        """The loss that a GradScaler made this of."""
        return cast(Tensor, self._unscaled.get(loss, loss))  # pyright: ignore[reportUnknownMemberType]

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        """Pass something on that matters to rounds that are logged."""
        if self._listener.logged:
            self._pass_on(callback, *values)

    def _pass_on(self, callback: Callable[..., None], *values: Any) -> None:
        if self.deaf or torch.compiler.is_compiling():
            return
        self._listener.transformed = transformed = inside_transform()
        if transformed:
            values = tuple(map(bare, values))
            self._listener.problems["torch.func"] = NOT_SEEN
        try:
            where = outside() if transformed else nullcontext()
            with self.unnoticed(), where, torch.no_grad(), _without_autocast(values):
                callback(*values)
        except Exception as error:
            self.deaf += 1
            self._failed(error)

    def _listen_to(self, who: Who, optimizer: Optimizer) -> list[Any]:
        waiting: list[bool] = []  # for the closure, which computes the losses that the step follows from
        steppers: list[Who] = []  # whose step it is: both players', perhaps, where they have one optimizer
        listener = self._listener

        def begins() -> None:
            steppers[:] = listener.steppers(who)
            for each in steppers:
                listener.step_begins(each, optimizer)

        def ends() -> None:
            for each in steppers:
                listener.step_ended(each, optimizer)

        def begin() -> None:
            waiting.clear()
            self._pass_on(begins)

        def before(_: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            given = None
            if _is_inner(optimizer):
                return None
            if not torch.compiler.is_compiling():
                given = _with_closure(args, kwargs, lambda closure: self._evaluated(closure, waiting, begin))
            if given is None:
                begin()
            else:
                waiting[:] = [True]
                self._pass_on(listener.step_waits, who)
            self._provenance.quiet += 1
            return given

        def after(*_: Any) -> None:
            if _is_inner(optimizer):
                return
            self._provenance.quiet = max(0, self._provenance.quiet - 1)
            if waiting:
                begin()
            self._pass_on(ends)

        return [optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)]

    def _evaluated(self, closure: Callable[[], Any], waiting: list[bool], begin: Callable[[], None]) -> Any:
        """The loss of a step's closure. Some optimizers ask for it several times: the first one is the round's."""
        if not waiting:
            self.deaf += 1
            try:
                return closure()
            finally:
                self.deaf -= 1
        self._provenance.quiet -= 1
        try:
            loss = closure()
        except BaseException:  # the step ends here, and nothing reports its end
            waiting.clear()
            raise
        self._provenance.quiet += 1
        begin()
        return loss

    def _listen_to_autograd(self) -> None:
        backward, grad, scale = torch.autograd.backward, torch.autograd.grad, torch.amp.GradScaler.scale
        inside: list[bool] = []  # torch calls `grad` by its name again, for the mode's sake

        @functools.wraps(backward)
        def patched_backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
            retain = bool(kwargs.get("retain_graph", args[1] if len(args) > 1 else None))
            inputs = kwargs.get("inputs", args[4] if len(args) > 4 else None)
            self._tell(self._listener.backward_begins, _listed(tensors), retain, _listed(inputs))
            backward(tensors, *args, **kwargs)
            self._tell(self._listener.backward_ended)

        @functools.wraps(grad)
        def patched_grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            if inside:
                return grad(outputs, inputs, *args, **kwargs)
            retain = bool(kwargs.get("retain_graph", args[1] if len(args) > 1 else None))
            self._tell(self._listener.backward_begins, _listed(outputs), retain, _listed(inputs), False)
            inside.append(True)
            try:
                slopes = grad(outputs, inputs, *args, **kwargs)
            finally:
                inside.pop()
            learnable = bool(kwargs.get("create_graph", args[2] if len(args) > 2 else False))
            if not all(isinstance(each, nn.Parameter) for each in _listed(inputs)):
                found = [slope for slope in slopes if slope is not None]
                self._tell(self._listener.slope_taken, _listed(outputs), found, learnable)
            return slopes

        @functools.wraps(scale)
        def patched_scale(scaler: Any, outputs: Any) -> Any:
            scaled = scale(scaler, outputs)
            if isinstance(outputs, Tensor) and scaled is not outputs:
                self._unscaled[scaled] = outputs.detach()
            return scaled

        for owner, name, old, new in (
            (torch.autograd, "backward", backward, patched_backward),
            (torch.autograd, "grad", grad, patched_grad),
            (torch.amp.GradScaler, "scale", scale, patched_scale),
        ):
            setattr(owner, name, new)
            self._removes.append(functools.partial(setattr, owner, name, old))


class _Unnoticed:
    def __init__(self, hooks: Hooks, provenance: Provenance):
        self._hooks, self._provenance = hooks, provenance

    def __enter__(self) -> None:
        self._hooks.deaf += 1
        self._provenance.quiet += 1

    def __exit__(self, *_: object) -> None:
        self._hooks.deaf -= 1
        self._provenance.quiet -= 1


def _is_inner(optimizer: Optimizer) -> bool:
    """Whether the step whose hook asks this is a part of a step of the same optimizer: by super().step()."""
    # That of torch's wrapper of `step`, which calls the hook. No name may hold this function's own frame: it would keep
    # itself, and all that the loop has on its way here, until garbage is collected.
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    code = frame.f_code
    while (frame := frame.f_back) is not None:
        if frame.f_code is code and (args := frame.f_locals.get("args")) and args[0] is optimizer:
            return True
    return False


def _with_closure(
    args: tuple[Any, ...], kwargs: dict[str, Any], evaluated: Callable[[Callable[[], Any]], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """What an optimizer's `step` is given, with its closure evaluated by something else; None without a closure."""
    if callable(named := kwargs.get("closure")):
        return args, {**kwargs, "closure": functools.partial(evaluated, named)}
    if len(args) > 1 and callable(args[1]):  # the first is the optimizer itself
        return (args[0], functools.partial(evaluated, args[1]), *args[2:]), kwargs
    return None


def _listed(tensors: Any) -> list[Tensor]:
    """What torch takes as one tensor or several."""
    if tensors is None:
        return []
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _without_autocast(values: Sequence[Any]) -> AbstractContextManager[Any]:
    """What the watch computes, it computes in float32."""
    return torch.autocast("cuda", enabled=False) if torch.is_autocast_enabled("cuda") else nullcontext()
