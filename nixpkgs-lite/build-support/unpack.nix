# The content of archives (.deb, .tar and its compressed forms, .zip), laid over
# one another in order. Done by the builder `builtin:unpack`: needs no program.
{ lib }:
{
  name,
  srcs,
  stripRoot ? false,
}:
derivation {
  inherit name srcs;
  system = "builtin";
  builder = "builtin:unpack";
  stripRoot = if stripRoot then "1" else "";
  preferLocalBuild = true;
}
