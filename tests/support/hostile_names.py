"""Names that code which takes them for more than names would trip over: for columns, categories, classes and layers."""
# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

import random
from typing import Final

COUNT: Final = 500

# fmt: off
METHODS: Final = (
    "__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
    "toLocaleString", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "prototype",
    "length", "name", "push", "then", "map", "get", "set", "has", "size", "keys", "datum", "item", "event",
    "arguments",
)
JAVASCRIPT: Final = (
    "await", "class", "const", "debugger", "delete", "eval", "export", "extends", "false", "finally", "function",
    "import", "in", "instanceof", "let", "new", "null", "of", "super", "this", "throw", "true", "typeof",
    "undefined", "var", "void", "with", "yield", "NaN", "Infinity", "globalThis", "window", "document", "model",
    "predict", "`${window.stolen = 1}`", "*/window.stolen = 1/*", "\\u003cscript\\u003e", "'+(window.stolen=1)+'",
    "a?.b", "#x",
)
C: Final = (
    "NULL", "NAN", "INFINITY", "INT64_MIN", "INT64_C", "UINT8_MAX", "HUGE_VAL", "M_PI", "FP_NAN", "SIZE_MAX", "EOF",
    "linux", "unix", "i386", "errno", "stdin", "stderr", "assert", "bool", "complex", "I", "offsetof", "int64_t",
    "int", "long", "double", "float", "register", "restrict", "inline", "_Bool", "_Complex", "__LINE__", "__func__",
    "size_t", "memcpy", "strcmp", "fabsf", "expf", "sqrt", "main", "template", "namespace", "operator", "nullptr",
    "in", "out", "work", "dense", "add_bias", "text_at", "row", "i", "sum", "??/", "??=include", "*/ int x; /*",
    "// x\\", "%s%n", "%d", '"; system("id"); //', "\\0", "\\x41", "\\", "L'x'", "0x1p3", "1e5f", "#define A", "a\\",
)
HTML: Final = (
    "<script>window.stolen = 1</script>", "</script><script>window.stolen = 1</script>", "<!--", "-->", "<![CDATA[",
    "<img src=x onerror=window.stolen=1>", '"><svg onload=window.stolen=1>', "' autofocus onfocus=window.stolen=1 '",
    "&lt;b&gt;", "&amp;", "&", "&#x3c;", "&nbsp;", "<b>", "</b>", "<", ">", "<a href='javascript:window.stolen=1'>",
    "</title>", "</style>", "<style>*{display:none}</style>", "<base href=//x>", "<plaintext>",
    "javascript:alert(1)", "<?xml?>", "</figure>", "</text>", "<text>", "]]>", "url(#x)", "{{7*7}}", "{%if%}",
    "<noscript>", "</textarea>",
)
SQL: Final = (
    "'; DROP TABLE t; --", "SELECT", "select * from t", "1=1", "' OR ''='", "NULL;", "--", "/* */", "t.a", "%",
)
YAML: Final = (
    "yes", "no", "on", "off", "~", "null", "Null", "y", "n", "1:30", "0o17", "0x1F", "1_000", "1e5", ".inf", ".nan",
    "-.5", "a: b", "a:", ": a", "- a", "# a", "a # b", "!t", "!!str", "&a", "*a", "{}", "{a", "[]", "[a", "]", "|",
    ">", "%YAML", "@a", "? a", "=", "<<", "---", "...", "'a", '"a', "$", "$a", "$$a", "${a}", "$(id)", "2024-01-01",
    "012", "+1", ",",
)
TEXT: Final = (
    "ä", "ä", "ß", "İ", "ı", "ﬁ", "ǆ", "Ω", "ℵ", "中文", "日本", "한국", "ไทย", "हिन्दी", "עברית", "العربية", "́",
    "a\u202eb", "\u202e\u202d", "\u2066a\u2069", "\u200f", "a\u200b", "\u200b", "\u200c", "\u200d", "\u2060",
    "\ufeffa", "\xada", "\u2028", "a\u2029b", "a\x85b", "\xa0", "\u3000", "\u180e", "ᅟ", "￼", "�", "\uffff",
    "\U0010ffff", "\ue000", "😀", "👨\u200d👩\u200d👧", "🇩🇪", "𝓐", "e\u0301\u0302\u0303" * 10, "z\u0335" * 30,
    "\x1b[31m", "\x1b]0;x\x07", "\x07", "\x08\x08", "\x7f", "\x9b", "\x01", "a\tb", "a\nb", "a\r\nb", "a\rb",
    "a\n\nb", "a b", "a  b", "a,b", 'a"b', "a'b", 'a""b', "a;b", "a|b", "a/b", "a\\b", "../a", "/etc/passwd", "CON",
    "a.b", "a[0]", "a.b.c", ".", "..", "a:b", "a=b", "a==b", "a is missing", "a=a", "(", ")", "()", "[", "^", "$^",
    ".*", "?", "+", "*", "'", '"', "`", "''", '""', "“", "’", "-", "_", "__", "—", "!", "~a", "=1+1",
    "=cmd|'/C calc'!A0", "@SUM(1)", "-1+1",
)
NUMBERS: Final = (
    "0", "1", "-1", "00", "1.5", "1,5", "1e400", "-0", "inf", "nan", "1e-5", "12345678901234567890", "٣", "½", "Ⅷ",
)
OURS: Final = (
    "label", "predicted_label", "probabilities", "value", "prediction", "logits", "x", "rows", "image", "encoded",
    "other", "input", "csv", "csv/Concat_1", "Affine1", "Affine1.W", "Relu1", "loss", "train", "test", "series",
    "iteration", "missing", "mlpkit", "mlpkit-provenance: {}", "default", "target", "row", "elapsed", "a (elapsed)",
    "curve", "title",
)
LONG: Final = (
    "a" * 255, "a" * 254 + "b", "b" * 1000, "ä" * 200, "x y " * 60 + "z", "A" * 63 + "1",
    "A" * 63 + "2", "c" * 5000,
)
# fmt: on


def hostile_names() -> list[str]:
    """Return distinct names: those above, and others put together from them, always the same."""
    groups = (METHODS, C, HTML, YAML, TEXT, JAVASCRIPT, OURS, NUMBERS, SQL, LONG)
    found = dict.fromkeys(name for group in groups for name in group)
    rng, short = random.Random(0), [name for name in found if len(name) < 20]
    while len(found) < COUNT:
        found[rng.choice(("", " ", "_", ".", "=", "\u200b")).join(rng.sample(short, 2))] = None
    return list(found)
