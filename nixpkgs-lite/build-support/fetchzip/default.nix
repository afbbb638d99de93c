# The content of an archive, checked by the hash of what is in it: an archive
# made again with other compression is still the same content.
#
# Download and unpacking are one derivation, done by the builder `builtin:unpack`.
{ lib }:
lib.makeOverridable (
  {
    url ? "",
    urls ? [ ],
    name ? "source",
    stripRoot ? true,
    extension ? null,
    meta ? { },
    passthru ? { },
    ...
  }@args:
  let
    unsupported = builtins.filter (n: (args.${n} or "") != "" && (args.${n} or null) != null) [ "postFetch" "extraPostFetch" ];
    addresses = if url != "" then [ url ] else urls;
    drv = derivation (
      {
        inherit name;
        system = "builtin";
        builder = "builtin:unpack";
        urls = addresses;
        stripRoot = if stripRoot then "1" else "";
        extension = if extension == null then "" else extension;
        outputHashMode = "recursive";
        preferLocalBuild = true;
        impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      }
      // lib.fetchers.hashOf "fetchzip: ${name}" args
    );
  in
  if addresses == [ ] then
    throw "fetchzip: neither url nor urls is given"
  else if unsupported != [ ] then
    throw "fetchzip: ${lib.concatStringsSep ", " unsupported} is not supported: the content is taken as it comes"
  else
    drv // passthru // { inherit meta passthru; urls = addresses; url = builtins.head addresses; }
)
