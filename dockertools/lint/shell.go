package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gonix/dockertools/listing"

	"mvdan.cc/sh/v3/syntax"
)

// shells are what runs scripts that can be read here.
var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true}

// script checks what the script that is run first calls. words are the command of
// the setting called key, f is the program that they begin with.
func (s *subject) script(key string, words []string, f *listing.File) {
	text, isScript := s.facts.texts[f.Digest]
	program, arg := interpreter(text)
	name, args := "/"+f.Name, words[1:]
	switch {
	case isScript && program != "":
		if path.Base(program) == "env" {
			program = envProgram(arg)
		}
		if len(text) >= maxText {
			return
		}
	case len(args) > 1 && strings.HasPrefix(args[0], "-") && strings.HasSuffix(args[0], "c"):
		// The program is a shell, and the script an argument.
		program, text, name, args = words[0], args[1], key, args[min(3, len(args)):]
	default:
		return
	}
	shell := s.resolve(program, 0)
	if shell == nil {
		shell = s.search(program)
	}
	// Busybox runs its own programs whatever PATH says.
	if !shells[path.Base(program)] || shell == nil || strings.Contains(path.Base(shell.Name), "busybox") || strings.Contains(shell.Name, "-busybox-") {
		return
	}
	found, handsOver := calls(text)
	if handsOver && len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		found = append(found, args[0])
	}
	for _, call := range found {
		if strings.Contains(call, "/") {
			if path.IsAbs(call) && s.resolve(call, 0) == nil {
				s.warn("script", name, fmt.Sprintf("the script %s calls %s, which is not in the image", name, call), "name the program by its store path")
			}
			continue
		}
		if s.search(call) == nil {
			s.warn("script", name, fmt.Sprintf("the script %s calls %s, which is in no directory of PATH (%s)", name, call, s.searchPath()), "name the program by its store path, or put its package into the contents and set PATH")
		}
	}
}

// builtins are commands of sh and bash themselves.
var builtins = strings.Fields(`. : [ alias bg bind break builtin caller cd command compgen complete compopt
	continue declare dirs disown echo enable eval exec exit export false fc fg getopts hash help history
	jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt
	source suspend test times trap true type typeset ulimit umask unalias unset wait`)

// asking are commands by which a script finds out whether there is a program.
var asking = []string{"command", "type", "which", "hash", "test", "["}

// unclear are commands after which a name may mean anything.
var unclear = []string{".", "source", "eval", "alias", "enable"}

// calls returns the programs that a script is sure to mean when it calls them by a
// plain word, in order, once each; none where the script changes what names mean.
// It hands over if it runs its arguments at its end and never changes them.
func calls(text string) (programs []string, handsOver bool) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, false
	}
	var list []string
	own := map[string]bool{} // functions, and what the script itself looks for
	changed, argued := false, false
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			own[n.Name.Value] = true
		case *syntax.Assign:
			changed = changed || n.Name != nil && n.Name.Value == "PATH"
		case *syntax.BinaryCmd:
			// What may fail is allowed to be absent, unless that is the end.
			return n.Op != syntax.OrStmt || exits(n.Y)
		case *syntax.UnaryTest: // [[ -x FILE ]]
			if w, ok := n.X.(*syntax.Word); ok {
				own[w.Lit()] = true
			}
		case *syntax.CallExpr:
			words := literals(n.Args)
			if len(words) == 0 {
				return true
			}
			name := words[0]
			switch {
			case slices.Contains(unclear, name):
				changed = true
			case name == "shift" || name == "set" && !onlyOptions(n.Args[1:]):
				argued = true
			case slices.Contains(asking, name):
				for _, w := range words[1:] {
					own[w] = true
				}
			case name == "exec" && len(n.Args) > 1:
				if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
					list = append(list, words[1])
				}
			case !slices.Contains(builtins, name):
				list = append(list, name)
			}
		}
		return true
	})
	if changed {
		return nil, false
	}
	var out []string
	for _, name := range list {
		if !own[name] && !slices.Contains(builtins, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, !argued && runsArguments(file)
}

// exits reports whether a statement ends the script.
func exits(stmt *syntax.Stmt) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && call.Args[0].Lit() == "exit"
}

// runsArguments reports whether the last that a script does is exec "$@".
func runsArguments(file *syntax.File) bool {
	if len(file.Stmts) == 0 {
		return false
	}
	stmt := file.Stmts[len(file.Stmts)-1]
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) != 2 || call.Args[0].Lit() != "exec" || len(call.Args[1].Parts) != 1 {
		return false
	}
	quoted, ok := call.Args[1].Parts[0].(*syntax.DblQuoted)
	if !ok || len(quoted.Parts) != 1 {
		return false
	}
	param, ok := quoted.Parts[0].(*syntax.ParamExp)
	return ok && param.Param != nil && param.Param.Value == "@" && param.Exp == nil && !param.Length
}

// onlyOptions reports whether words are plain options, such as -e.
func onlyOptions(args []*syntax.Word) bool {
	for _, a := range args {
		if text := a.Lit(); text != "pipefail" && (len(text) < 2 || text[0] != '-' && text[0] != '+' || text == "--") {
			return false
		}
	}
	return true
}

// literals are the words up to the first that is not plain.
func literals(args []*syntax.Word) []string {
	var out []string
	for _, a := range args {
		text := a.Lit()
		if text == "" || strings.ContainsAny(text, `*?[]~\\{}`) && text != "[" {
			break
		}
		out = append(out, text)
	}
	return out
}
