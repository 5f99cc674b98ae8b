"""Formulas typed by users, read by a small safe parser: never ``eval``.

An `Expression` is compiled once into nested closures, and then evaluates on numbers, numpy arrays
(real, or complex for derivatives by the complex step) and UFL expressions alike.

The module's own `exp`, `tanh`, ... are those functions for all of these arguments; the laws of the
material library are written with them.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import Any, Final, NoReturn

import numpy as np

from nmcsim.errors import InputError, Mistake

MAX_LENGTH: Final = 2000  # characters; a law fits in a tenth of this
MAX_NODES: Final = 600
MAX_DEPTH: Final = 100  # keeps the recursive compiler and UFL away from Python's limit
STEP: Final = 1e-30  # of the complex-step derivative: no subtraction, so it may be this small


class ExpressionError(InputError, ValueError):
    """A formula that cannot be read; its mistake has the text, the column and an empty place.

    Being a `ValueError` too, it may be raised inside a pydantic validator.
    """


def is_ufl(value: Any) -> bool:
    """Whether `value` is a UFL expression; does not import UFL."""
    ufl = sys.modules.get("ufl")
    return ufl is not None and isinstance(value, ufl.core.expr.Expr)


def _function(numpy_function: Callable[[Any], Any], ufl_name: str) -> Callable[[Any], Any]:
    def apply(a: Any) -> Any:
        if is_ufl(a):
            import ufl

            return getattr(ufl, ufl_name)(a)
        return numpy_function(a)

    apply.__doc__ = f"`{numpy_function.__name__}` of numbers, arrays and UFL expressions."
    return apply


exp = _function(np.exp, "exp")
log = _function(np.log, "ln")
sqrt = _function(np.sqrt, "sqrt")
tanh = _function(np.tanh, "tanh")
sinh = _function(np.sinh, "sinh")
cosh = _function(np.cosh, "cosh")
tan = _function(np.tan, "tan")
sin = _function(np.sin, "sin")
cos = _function(np.cos, "cos")
atan = _function(np.arctan, "atan")


def logistic(a: Any) -> Any:
    """``1 / (1 + exp(-a))`` of numbers, arrays and UFL expressions; overflows for none."""
    return 0.5 * (1.0 + tanh(0.5 * a))


def log10(a: Any) -> Any:
    """`log10` of numbers, arrays and UFL expressions."""
    return log(a) / math.log(10.0) if is_ufl(a) else np.log10(a)


def absolute(a: Any) -> Any:
    """The absolute value of numbers, arrays (of the real part's sign) and UFL expressions."""
    # the modulus is not analytic: the complex step needs the sign of the real part
    return np.where(np.real(a) < 0, -a, a) if np.iscomplexobj(a) else abs(a)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two numbers, arrays (by the real part) or UFL expressions."""
    if is_ufl(a) or is_ufl(b):
        import ufl

        return ufl.min_value(a, b)
    return np.where(np.real(b) < np.real(a), b, a)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two numbers, arrays (by the real part) or UFL expressions."""
    if is_ufl(a) or is_ufl(b):
        import ufl

        return ufl.max_value(a, b)
    return np.where(np.real(b) > np.real(a), b, a)


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "exp": exp,
    "log": log,
    "log10": log10,
    "logistic": logistic,
    "sqrt": sqrt,
    "tanh": tanh,
    "sinh": sinh,
    "cosh": cosh,
    "tan": tan,
    "sin": sin,
    "cos": cos,
    "atan": atan,
    "abs": absolute,
    "min": lambda *a: reduce(minimum, a),
    "max": lambda *a: reduce(maximum, a),
}
_CONSTANTS: Final = {"pi": math.pi, "e": math.e}
_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FORBIDDEN: Final[dict[type[ast.AST], str]] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Lambda: "a lambda",
    ast.Compare: "a comparison",
    ast.BoolOp: "a logical operator",
    ast.Not: "a logical operator",
    ast.IfExp: "a condition",
    ast.NamedExpr: "an assignment",
    ast.List: "a list",
    ast.Tuple: "a comma",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.JoinedStr: "a string",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Starred: "a starred argument",
    ast.BitXor: 'the operator "^" (write "**" for a power)',
    ast.Mod: 'the operator "%"',
    ast.FloorDiv: 'the operator "//"',
    ast.MatMult: 'the operator "@"',
    ast.Invert: 'the operator "~"',
    ast.Constant: "an imaginary number",
}

Values = dict[str, Any]
Part = float | Callable[[Values], Any]  # a folded constant, or a function of the variables


@dataclass(frozen=True)
class Expression:
    """A formula such as ``10**(-11.8 - 1.6/(1 + exp(-(theta - 0.88)/0.03)))``.

    Allowed are numbers, the variables, ``pi``, ``e``, ``+ - * / **`` and the functions exp, log,
    log10, logistic (1/(1 + exp(-x))), sqrt, tanh, sinh, cosh, tan, sin, cos, atan, abs, min and
    max. Constants are folded when the formula is read, in floating point, so no power can hang.

    Parameters
    ----------
    text : str
        The formula.
    variables : tuple of str
        The names it may use.

    Raises
    ------
    ExpressionError
        With the column of an unknown name, a forbidden construct or a syntax error.
    """

    text: str
    variables: tuple[str, ...] = ("theta",)

    def __post_init__(self) -> None:
        self._compiled  # noqa: B018 - reads the formula now, so that a mistake shows now

    @cached_property
    def _compiled(self) -> Part:
        return _Reader(self.text, self.variables).read()

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables that the formula does use."""
        tree = ast.parse(_flat(self.text), mode="eval")
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return frozenset(used.intersection(self.variables))

    def __call__(self, **values: Any) -> Any:
        """The value for numbers, arrays (real or complex) or UFL expressions, by keyword.

        A formula without variables gives a float, whatever the shapes of the arguments.
        """
        missing = self.names.difference(values)
        if missing:
            raise TypeError(f"{self.text!r} needs a value for {', '.join(sorted(missing))}")
        part = self._compiled
        return part(values) if callable(part) else part

    def derivative(self, variable: str) -> Callable[..., Any]:
        """The derivative with respect to `variable`, by the complex step.

        Exact to rounding where the formula is analytic; at the kink of abs, min or max it is the
        derivative of one side.
        """
        if variable not in self.variables:
            raise TypeError(f"{variable!r} is none of the variables {', '.join(self.variables)}")
        return partial(self._slope, variable)

    def _slope(self, variable: str, /, **values: Any) -> Any:
        values[variable] = np.asarray(values[variable], dtype=float) + 1j * STEP
        return np.imag(self(**values)) / STEP

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[Expression], tuple[str, tuple[str, ...]]]:
        return Expression, (self.text, self.variables)


def _flat(text: str) -> str:
    return re.sub(r"\s", " ", text).strip()


class _Reader:
    """One reading of one formula: the text, the names it may use, and where a mistake is."""

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = _flat(text)
        self.variables = variables

    def read(self) -> Part:
        tree = self._parse()
        if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
            self._refuse(f"the formula has more than {MAX_NODES} parts; use a table instead")
        return self._compile(tree.body, 0)

    def _parse(self) -> ast.Expression:
        if not self.text:
            self._refuse("a formula is missing")
        if len(self.text) > MAX_LENGTH:
            self.text = self.text[:60]
            self._refuse(f"the formula is longer than {MAX_LENGTH} characters; use a table instead")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the tokenizer, about "2if"
                return ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            self._refuse(f"not a formula: {error.msg}", (error.offset or 1) - 1)
        except (ValueError, RecursionError, MemoryError):
            self._refuse("not a formula: it cannot be read")

    def _compile(self, node: ast.AST, depth: int) -> Part:
        if depth > MAX_DEPTH:
            self._refuse(f"nested deeper than {MAX_DEPTH} levels; use a table instead", node)
        match node:
            case ast.Constant(value=bool() | str() | bytes() | None):
                self._refuse(f"{node.value!r} is not allowed in a formula, only numbers", node)
            case ast.Constant(value=int() | float() as value):
                return self._number(node, lambda: float(value))
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp() if type(node.op) in _UNARY:
                return self._apply(node, _UNARY[type(node.op)], [node.operand], depth)
            case ast.BinOp() if type(node.op) in _BINARY:
                return self._apply(node, _BINARY[type(node.op)], [node.left, node.right], depth)
            case ast.Call():
                return self._call(node, depth)
        culprit = getattr(node, "op", node)
        what = _FORBIDDEN.get(type(culprit)) or _FORBIDDEN.get(type(node), "this")
        self._refuse(f"{what} is not allowed in a formula", self._sign(node))

    def _sign(self, node: ast.AST) -> ast.AST | int:
        """Where the sign stands that makes a construct what it is: behind its left part."""
        match node:
            case ast.BinOp(left=left) | ast.Compare(left=left):
                pass
            case ast.Attribute(value=left) | ast.Subscript(value=left):
                pass
            case _:
                return node
        behind = self.text.encode()[: left.end_col_offset].decode()
        rest = self.text[len(behind) :]
        return len(behind) + len(rest) - len(rest.lstrip(" )"))

    def _name(self, node: ast.Name) -> Part:
        name = node.id
        if name in self.variables:
            return operator.itemgetter(name)
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name in _FUNCTIONS:
            self._refuse(f'"{name}" is a function; write {name}(...)', node)
        self._unknown(node, "name", (*self.variables, *_CONSTANTS, *_FUNCTIONS))

    def _call(self, node: ast.Call, depth: int) -> Part:
        if not isinstance(node.func, ast.Name):
            self._compile(node.func, depth + 1)  # names the construct, where it is forbidden
            self._refuse("only a function can be called", node)
        name = node.func.id
        if name not in _FUNCTIONS:
            if name in self.variables or name in _CONSTANTS:
                self._refuse(f'"{name}" is not a function; write {name}*(...)', node)
            self._unknown(node.func, "function", tuple(_FUNCTIONS))
        wanted, given = 1 if name not in ("min", "max") else 2, len(node.args)
        if node.keywords or given < wanted or (wanted == 1 and given > 1):
            many = "one argument" if wanted == 1 else "two arguments or more"
            self._refuse(f"{name} takes {many}", node)
        return self._apply(node, _FUNCTIONS[name], node.args, depth)

    def _apply(
        self, node: ast.AST, function: Callable[..., Any], arguments: list[ast.expr], depth: int
    ) -> Part:
        parts = [self._compile(argument, depth + 1) for argument in arguments]
        if not any(callable(part) for part in parts):
            return self._number(node, lambda: function(*parts))
        if len(parts) == 1:
            (inner,) = parts
            return lambda values: function(inner(values))  # type: ignore[operator]
        if function is operator.pow and isinstance(parts[1], float) and parts[1].is_integer():
            # an integer power is a product: exact, also for negative and complex arguments
            parts[1] = int(parts[1])
        return _joined(function, parts)

    def _number(self, node: ast.AST, fold: Callable[[], Any]) -> float:
        """A folded constant; refused where it overflows, divides by zero or is not real."""
        try:
            with np.errstate(all="ignore"):
                value = fold()
        except OverflowError:
            value = math.inf
        except ZeroDivisionError:
            self._refuse("this divides by zero", node)
        if isinstance(value, complex) or math.isnan(value):
            self._refuse("this is not a real number", node)
        if math.isinf(value):
            self._refuse("this is not a finite number", node)
        return float(value)

    def _unknown(self, node: ast.Name, kind: str, known: tuple[str, ...]) -> NoReturn:
        close = difflib.get_close_matches(node.id, known, n=1, cutoff=0.6)
        if close:
            hint = f'did you mean "{close[0]}"?'
        elif kind == "name" and self.variables:
            hint = f"the formula may use {', '.join(self.variables)}"
        else:
            hint = f"known are {', '.join(known)}"
        self._refuse(f'unknown {kind} "{node.id}"; {hint}', node)

    def _refuse(self, message: str, where: ast.AST | int = 0) -> NoReturn:
        if isinstance(where, ast.AST):
            # the parser counts bytes of UTF-8
            start = self.text.encode()[: getattr(where, "col_offset", 0)]
            where = len(start.decode(errors="ignore"))
        raise ExpressionError(Mistake("", message, self.text, where))


def _joined(function: Callable[..., Any], parts: list[Any]) -> Callable[[Values], Any]:
    """The function of two or more parts, some of which may be constants."""
    if len(parts) == 2:
        left, right = parts
        if not callable(left):
            return lambda values: function(left, right(values))
        if not callable(right):
            return lambda values: function(left(values), right)
        return lambda values: function(left(values), right(values))
    return lambda values: function(*[p(values) if callable(p) else p for p in parts])
