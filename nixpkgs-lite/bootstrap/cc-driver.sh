#!@shell@
# Calls the compiler with the places of headers, start files and libraries.
#
# NIX_CFLAGS_COMPILE comes before and NIX_CFLAGS_LINK after the arguments given.
link=1
for arg in "$@"; do
    case $arg in
    -c | -S | -E | -M | -MM | -fsyntax-only) link= ;;
    --version | -dumpversion | -dumpmachine | -dumpfullversion | -print-* | --help*) exec @real@ "$@" ;;
    esac
done
after=()
if [ -n "$link" ]; then
    after=($NIX_CFLAGS_LINK -L@dev@/lib -L@glibc@/lib -L@gccLib@/lib -L@cxxLib@ -Wl,--build-id=none)
    if [ $# = 1 ] && [ "$1" = -v ]; then
        after=()
    fi
fi
exec @real@ --sysroot=@out@/sysroot -B@out@/bin/ -B@dev@/lib/ $NIX_CFLAGS_COMPILE "$@" \
    -idirafter @dev@/include "${after[@]}"
