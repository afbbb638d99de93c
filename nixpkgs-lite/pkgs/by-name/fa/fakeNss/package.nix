# Accounts for an image without any: root and nobody, and what override adds.
{
  lib,
  runCommand,
  symlinkJoin,
  writeTextDir,
  # Lines for /etc/passwd and /etc/group.
  extraPasswdLines ? [ ],
  extraGroupLines ? [ ],
}:
let
  lines = list: lib.concatMapStrings (l: l + "\n") list;
in
symlinkJoin {
  name = "fake-nss";
  paths = [
    (writeTextDir "etc/passwd" (
      lines (
        [
          # A home that is there.
          "root:x:0:0:root:/var/empty:/bin/sh"
          "nobody:x:65534:65534:nobody:/var/empty:/bin/sh"
        ]
        ++ extraPasswdLines
      )
    ))
    (writeTextDir "etc/group" (
      lines (
        [
          "root:x:0:"
          "nobody:x:65534:"
        ]
        ++ extraGroupLines
      )
    ))
    (writeTextDir "etc/nsswitch.conf" ''
      hosts: files dns
    '')
    (runCommand "var-empty" { } "mkdir -p $out/var/empty")
  ];
  meta.description = "Files of accounts with root and nobody alone";
}
