[
  1 0 007 1.5 .5 1.0e3 2.5e-3
  "" "a" '''' true false null
  { } [ ] rec { }
  "tab\t nl\n quote\" dollar\${x} $$ back\\slash cr\r"
  ''
    indented
      more
    ${"less"} ''${kept} ''' ''\t
  ''
]
