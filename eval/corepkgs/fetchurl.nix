# <nix/fetchurl.nix>: a derivation that the builder builtin:fetchurl carries out.
# The attributes, their order of precedence and their defaults are part of the
# derivation's hash, so they are exactly those of C++ Nix.
{ system ? "" # ignored
, url
, hash ? "" # in SRI form
, md5 ? ""
, sha1 ? ""
, sha256 ? ""
, sha512 ? ""
, outputHash ?
    if hash != "" then hash
    else if sha512 != "" then sha512
    else if sha1 != "" then sha1
    else if md5 != "" then md5
    else sha256
, outputHashAlgo ?
    if hash != "" then ""
    else if sha512 != "" then "sha512"
    else if sha1 != "" then "sha1"
    else if md5 != "" then "md5"
    else "sha256"
, executable ? false
, unpack ? false
, name ? baseNameOf (toString url)
, impure ? false
}:

let
  expected =
    if impure then { __impure = true; }
    else { inherit outputHash outputHashAlgo; };
in

derivation (expected // {
  inherit name url executable unpack;
  urls = [ url ];
  system = "builtin";
  builder = "builtin:fetchurl";
  outputHashMode = if executable || unpack then "recursive" else "flat";
  preferLocalBuild = true;
  impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
})
