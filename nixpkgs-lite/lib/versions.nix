# The parts of a version number.
{ lib }:
rec {
  splitVersion = builtins.splitVersion;
  major = v: builtins.elemAt (splitVersion v) 0;
  minor = v: builtins.elemAt (splitVersion v) 1;
  patch = v: builtins.elemAt (splitVersion v) 2;
  majorMinor = v: lib.concatStringsSep "." (lib.take 2 (splitVersion v));
  pad =
    n: v:
    let
      parts = splitVersion v;
    in
    lib.concatStringsSep "." (lib.take n (parts ++ lib.lists.replicate (lib.max 0 (n - lib.length parts)) "0"));
}
