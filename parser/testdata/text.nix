x: [
  "" "a" "a\n\t\r\\\"\${x}\q" "$" "a$" "$$" "$${x}" "$x" "a${x}b" "${x}" "${x}${x}" "\$${x}"
  "${"nested ${"deep ${x}"}"}"
  "two
lines"
  '''' '' '' ''a'' ''
    a
      b

    c
  '' ''
    ${x}
      y'' ''
    ''${x} ''$ $ $${x} ''' ''\n ''\t ''\\ ' 'a''
  ''  	tab'' ''
    one
   '' ''
     a
    ${x}
  ''
  http://example.org/a?b=c&d mailto:me@x.org a:b
]
