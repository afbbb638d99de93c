[
  0 007 9223372036854775807 1.5 .5 0.5 1. 1.e3 1e3 2.5E-3 123456789.0 1000000.0 0.00001 00.5
  ./a ../b a/b /abs ./a/../b ./. ~/h /a.b-c+d_e <n> <n/k-s> ./${x} ./a/${x}/b${y}.nix /${x} ~/${x}/y
  __curPos null true a'b a-b _ a.b/c
  [ ] [ [ ] ] { a = 1; }.a (rec { }) x.y.z x."y z" x.${y}
] /* a comment /* does not nest ** / */ # another
