# The builder of every package that has none of its own.
# Structured attributes lie in a file; Nix before 2.9 names it wrongly.
if [ -e "${NIX_ATTRS_SH_FILE:-}" ]; then
    . "$NIX_ATTRS_SH_FILE"
elif [ -e .attrs.sh ]; then
    NIX_ATTRS_SH_FILE=$PWD/.attrs.sh
    NIX_ATTRS_JSON_FILE=$PWD/.attrs.json
    . "$NIX_ATTRS_SH_FILE"
fi
. "$stdenv/setup"
genericBuild
