package differ

import (
	"fmt"
	"strings"
)

// wordTable has what writes literals: of the plain forms, and of strings with a
// meaning. "key", "chars" and "lines" are no expressions but pieces of them.
func wordTable() map[string]func(g *generator) string {
	return map[string]func(g *generator) string{
		"int": func(g *generator) string {
			if g.r.IntN(3) > 0 {
				return fmt.Sprint(g.r.IntN(9))
			}
			return g.pick("(-1)", "(-7)", "42", "007", "9223372036854775807", "(-9223372036854775807 - 1)", "9007199254740993", "4294967296", "(-2147483648)")
		},
		"small": func(g *generator) string { return fmt.Sprint(g.r.IntN(5)) },
		"float": func(g *generator) string {
			return g.pick("0.0", "1.0", "(-0.5)", "1.5e3", "1.0e30", "3.14159265358979", ".5", "1.e-7", "123456789.0", "0.1", "1.7976931348623157e308", "5.0e-324", "9223372036854775808.0", "(1.0e200 * 1.0e200)")
		},
		"bool": func(g *generator) string { return g.pick("true", "false") },
		"null": func(g *generator) string { return "null" },
		"path": func(g *generator) string {
			return g.pick("/.", "/a/b.c", "./x", "./../y/.", "/a//b/../c", "./a-b_c+1", "~/h", "<nowhere/x>")
		},
		"str": func(g *generator) string {
			if g.r.IntN(4) == 0 {
				return "''" + g.words["lines"](g) + g.words["lines"](g) + "''"
			}
			return `"` + g.words["chars"](g) + g.words["chars"](g) + `"`
		},
		"key": func(g *generator) string {
			return g.pick("a", "a", "b", "b", "c", "d", `"x y"`, `"if"`, "or", `"é"`, `""`, `"1a"`, "x'")
		},
		"name": func(g *generator) string {
			return g.pick(`"a"`, `"a"`, `"b"`, `"c"`, `"x y"`, `"if"`, `""`, `"é"`, `"a.b"`)
		},
		"chars": func(g *generator) string { return g.pick(stringPieces...) },
		"lines": func(g *generator) string { return g.pick(linePieces...) },
		"regex": func(g *generator) string { return `"` + g.regex(2) + `"` },
		"subject": func(g *generator) string {
			var b strings.Builder
			for range g.r.IntN(9) {
				b.WriteString(g.pick("a", "b", "a", "b", "c", "A", "1", " ", ".", "-", `\n`, "é", "]", `\\`))
			}
			return `"` + b.String() + `"`
		},
		"algo": func(g *generator) string { return g.pick(`"md5"`, `"sha1"`, `"sha256"`, `"sha512"`, `"sha3"`) },
		"hashform": func(g *generator) string {
			return g.pick(`"base16"`, `"nix32"`, `"base32"`, `"base64"`, `"sri"`, `"SRI"`)
		},
		"digest": func(g *generator) string {
			return g.pick(
				`"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="`, `"md5:900150983cd24fb0d6963f7d28e17f72"`,
				`"sha1:kpcd173cq987hw957sx6m0868wv3x6d9"`, `"sha256:ungWv48Bz"`, `"900150983cd24fb0d6963f7d28e17f72"`,
				`"sha1-=qZk+NkcGgWq6PiVxeFDCbJzQ2J0="`, `"sha512:"`, `"sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"`)
		},
		"version": func(g *generator) string {
			var b strings.Builder
			for range g.r.IntN(6) {
				b.WriteString(g.pick("1", "0", "10", "2", ".", ".", "-", "pre", "a", "b1", "rc", "01", "..", "foo-", "é", "99999999999999999999"))
			}
			return `"` + b.String() + `"`
		},
		"json": func(g *generator) string { return quote(g.json(2)) },
		"toml": func(g *generator) string { return quote(g.toml()) },
	}
}

var stringPieces = []string{
	"", "", "a", "b", "foo", "foo bar", "1", "a/b", "/", "/a/../b/", ".", "..", "-", `\n`, `\t`, `\r`, `\"`, `\\`, `$`, `$$`, `\${a}`, "$$${\"a\"}",
	"é", "日本", "\U0001F600", "<&>'", "%", "\x01", "\x7f", "  ", "''", `\x`, "1.2.3", "//", "/nix/store/00000000000000000000000000000000-x", "a.b",
	"-Wl", "~", "*", "\n", "\r\n", "\t",
}

var linePieces = []string{
	"", "a", "  a\n", "\n", "\n  b\n", "    \n", "\ta\n", "''$", "'''", `''\n`, `''\x`, "$${", "$", "é", "'a", "  ", "\n   c", `\`, "\r\n", `"`,
}

// quote writes text as a string literal.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", `\${`).Replace(text) + `"`
}

// regex writes a POSIX extended regular expression, mostly a right one, as it
// stands in a string.
func (g *generator) regex(depth int) string {
	var b strings.Builder
	for range 1 + g.r.IntN(3) {
		switch n := g.r.IntN(13); {
		case n < 5:
			b.WriteString(g.pick("a", "b", "c", "1", "-", "é"))
		case n < 8:
			b.WriteString(g.pick(".", "[ab]", "[^a]", "[a-c]", "[]a]", "[b-]", "[[:alpha:]]", "[[:space:][:digit:]]", "[^]c-]", `\\.`, `[\\]`, "[[.a.]]", "[[=a=]]", `[.]`))
		case n < 9:
			b.WriteString(g.pick("^", "$", "|", `\\n`, `\\(`, "{", "*", ")", "[", "[b-a]", "[[:x:]]", "()", `\\1`, `\\w`, `\\b`))
			continue
		case depth > 0:
			b.WriteString("(" + g.regex(depth-1) + ")")
		default:
			b.WriteString("b")
		}
		if g.r.IntN(2) == 0 {
			b.WriteString(g.pick("*", "+", "?", "*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}", "{2,1}", "+?", "**"))
		}
		if g.r.IntN(6) == 0 {
			b.WriteString("|")
		}
	}
	return b.String()
}

// json writes JSON, mostly right.
func (g *generator) json(depth int) string {
	if g.r.IntN(40) == 0 {
		return g.pick("", "tru", "[1,]", `{"a"}`, "01", "1.", `"\x"`, "{a:1}", "nul", "[1 2]", `"\ud800"`, "-", "+1", "'a'", "//", "\t", "NaN")
	}
	space := g.pick("", "", " ", "\n")
	if depth == 0 || g.r.IntN(3) == 0 {
		return space + g.pick("null", "true", "false", "0", "-0", "1", "-7", "1.5", "1e3", "1E-2", "9223372036854775807", "-9223372036854775808",
			"9223372036854775808", "18446744073709551616", "1e400", "0.1", "-0.0", "100000000.0", `""`, `"a"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\n\t\b\f\/\\\""`, `"é"`, `"\u0001"`) + space
	}
	var b strings.Builder
	if g.r.IntN(2) == 0 {
		for i := range g.r.IntN(4) {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(g.json(depth - 1))
		}
		return space + "[" + b.String() + "]"
	}
	for i := range g.r.IntN(4) {
		if i > 0 {
			b.WriteString("," + space)
		}
		b.WriteString(g.pick(`"a"`, `"b"`, `"c"`, `"x y"`, `""`, `"\u0061"`) + space + ":" + g.json(depth-1))
	}
	return "{" + space + b.String() + "}"
}

// toml writes TOML, mostly right.
func (g *generator) toml() string {
	var b strings.Builder
	for i := range 1 + g.r.IntN(4) {
		switch g.r.IntN(8) {
		case 0:
			fmt.Fprintf(&b, "[t%d]\n", g.r.IntN(3))
		case 1:
			fmt.Fprintf(&b, "[[l%d]]\n", g.r.IntN(2))
		case 2:
			b.WriteString(g.pick("# c\n", "\n", "\t\n", "[a.b.c]\n", `["x y".z]`+"\n", "[ a . b ]\n", "\r\n"))
		}
		key := g.pick("a", "b", "c.d", "1", `"x y"`, `'k'`, "a-b", "c . e", "é", "")
		if g.r.IntN(4) > 0 {
			key += fmt.Sprint(i)
		}
		fmt.Fprintf(&b, "%s%s=%s%s", key, g.pick("", " "), g.pick("", " "), g.tomlValue(1))
		b.WriteString(g.pick("\n", "\n", "\n", " # c\n", "\r\n", " "))
	}
	return b.String()
}

func (g *generator) tomlValue(depth int) string {
	if depth > 0 && g.r.IntN(3) == 0 {
		if g.r.IntN(2) == 0 {
			return fmt.Sprintf("[%s,%s%s%s]", g.tomlValue(depth-1), g.pick("", "\n", " # x\n"), g.tomlValue(depth-1), g.pick("", ","))
		}
		return fmt.Sprintf("{ a = %s, b.c = %s%s }", g.tomlValue(depth-1), g.tomlValue(depth-1), g.pick("", "", "", ","))
	}
	return g.pick("1", "-1", "+5", "0", "1_000", "0xFf", "0o17", "0b101", "9223372036854775807", "9223372036854775808", "01", "1.5", "-0.0", "1e3", "1.5E-2", "inf", "-inf", "6.", ".5", "1__0",
		"true", "false", `"a"`, `""`, `'a\b'`, `"\t\u00e9\U0001F600\\"`, `"\x"`, "\"\"\"\na\n  b\\\n   c\"\"\"", "'''\na'b\n'''", `"""a""b"""`, `"""""""`, "''''''", "x", "", "[]", "{}", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", `"é"`, `"unended`)
}
