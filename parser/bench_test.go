package parser

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"gonix/parser/lexer"
	"gonix/parser/source"
)

// packages is a text like those of large package sets.
func packages(n int) string {
	var b strings.Builder
	b.WriteString("{ lib, stdenv, callPackage, fetchurl, ... }@args:\n\nwith lib;\n\n{\n")
	for i := range n {
		fmt.Fprintf(&b, `
  # The package number %[1]d.
  package%[1]d = callPackage ../tools/misc/package%[1]d {
    inherit (darwin.apple_sdk.frameworks) Security CoreServices;
    openssl = if stdenv.isDarwin then openssl_1_1 else openssl;
    python = python3.withPackages (ps: with ps; [ setuptools wheel ]);
  };

  tool%[1]d = stdenv.mkDerivation rec {
    pname = "tool%[1]d";
    version = "1.%[1]d";
    src = fetchurl {
      url = "mirror://gnu/${pname}/${pname}-${version}.tar.gz";
      hash = "sha256-Q19c88KDFu0A6MejZgKYei9J2693EjRkKtR9hcRcHa0=";
    };
    buildInputs = [ zlib package%[1]d ] ++ lib.optionals (!stdenv.isLinux) [ libiconv ];
    postInstall = ''
      mkdir -p $out/share/doc
      cp README $out/share/doc/${version}
    '';
    meta.license = lib.licenses.mit;
    meta.platforms = lib.platforms.unix;
  };
`, i)
	}
	b.WriteString("}\n")
	return b.String()
}

// BenchmarkParse parses a generated package set, and the file that the
// environment variable GONIX_BENCH_FILE names.
func BenchmarkParse(b *testing.B) {
	texts := map[string]string{"generated": packages(600)}
	names := []string{"generated"}
	if name := os.Getenv("GONIX_BENCH_FILE"); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		names = append(names, name)
		texts[name] = string(text)
	}
	for _, name := range names {
		text := texts[name]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(source.NewSet().Add("x", text), Options{Base: "/base"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	text := packages(600)
	b.SetBytes(int64(len(text)))
	var buffer [batch]lexer.Token
	for b.Loop() {
		for s := lexer.NewScanner(text); ; {
			tokens := s.Fill(buffer[:0])
			if tokens[len(tokens)-1].Type == lexer.EOF {
				break
			}
		}
	}
}
