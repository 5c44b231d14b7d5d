"""An extension of Python-Markdown: formulas become MathML while the site is built, so that pages need no script and no other server."""

import html
import re

from latex2mathml.converter import convert
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

# What the extension arithmatex leaves of `$…$` and `$$…$$`.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


# The names of functions, which MathML sets without the space around them that LaTeX puts there.
FUNCTION = re.compile(r"<mi>(ln|exp|log|tanh|tr|sign)</mi>")
SPACE = '<mspace width="0.17em"></mspace>'


def rendered(formula):
    mathml = convert(html.unescape(formula[3]).strip(), display="block" if formula[2] == "[" else "inline")
    mathml = FUNCTION.sub(rf"{SPACE}<mi>\1</mi>{SPACE}", mathml)
    # A wide formula scrolls by itself, not the page with it.
    return f'<div class="formula">{mathml}</div>' if formula[2] == "[" else mathml


class MathPostprocessor(Postprocessor):
    def run(self, text):
        return FORMULA.sub(rendered, text)


class MathExtension(Extension):
    def extendMarkdown(self, md):
        # After the raw HTML, formulas among it, is back in the page.
        md.postprocessors.register(MathPostprocessor(md), "mathml", 0)


def makeExtension(**settings):
    return MathExtension(**settings)
