# One file from the first of several addresses that has it, checked by its hash.
#
# The download itself is done by the builder `builtin:fetchurl`, so nothing has
# to be built to fetch something. Addresses of the form mirror://name/path are
# tried at each mirror known under that name; NIX_MIRRORS_<name> adds others.
{ lib }:
let
  mirrorsOf =
    urls:
    lib.unique (
      lib.concatMap (
        url:
        let
          m = builtins.match "mirror://([a-zA-Z0-9_]+)/.*" url;
        in
        lib.optional (m != null) "NIX_MIRRORS_${builtins.head m}"
      ) urls
    );

  # https://example.org/x/y.tar.gz?download=1 is kept as y.tar.gz
  fileName = url: builtins.head (builtins.match "([^?#]*).*" (baseNameOf (toString url)));
in
lib.makeOverridable (
  {
    url ? "",
    urls ? [ ],
    name ? "",
    pname ? "",
    version ? "",
    executable ? false,
    recursiveHash ? executable,
    meta ? { },
    passthru ? { },
    ...
  }@args:
  let
    unsupported = builtins.filter (n: (args.${n} or "") != "" && (args.${n} or null) != null && args.${n} != [ ]) [
      "postFetch"
      "curlOpts"
      "curlOptsList"
      "netrcPhase"
    ];
    addresses =
      if url != "" && urls != [ ] then
        throw "fetchurl: give either url or urls, not both"
      else if url != "" then
        (if builtins.isList url then url else [ url ])
      else if urls != [ ] then
        urls
      else
        throw "fetchurl: neither url nor urls is given";
    storeName =
      if name != "" then
        name
      else if pname != "" && version != "" then
        "${pname}-${version}"
      else
        fileName (builtins.head addresses);
    hash = lib.fetchers.hashOf "fetchurl: ${storeName}" args;
    drv = derivation (
      {
        name = storeName;
        system = "builtin";
        builder = "builtin:fetchurl";
        url = builtins.head addresses;
        urls = addresses;
        executable = executable;
        unpack = false;
        outputHashMode = if recursiveHash then "recursive" else "flat";
        preferLocalBuild = true;
        impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ mirrorsOf addresses;
      }
      // hash
    );
  in
  if unsupported != [ ] then
    throw "fetchurl: ${storeName}: ${lib.concatStringsSep ", " unsupported} is not supported: the file is taken as it comes"
  else
    drv
    // passthru
    // {
      inherit meta passthru;
      urls = addresses;
    }
)
