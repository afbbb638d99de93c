# The builder of every package that has none of its own.
if [ -n "${NIX_ATTRS_SH_FILE:-}" ]; then
    . "$NIX_ATTRS_SH_FILE"
fi
. "$stdenv/setup"
genericBuild
