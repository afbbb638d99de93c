#!@shell@
# Calls the linker; programs get the loader of the store, and each program and
# library a search path with the store folders it was linked from. Folders that
# turn out to be unused are taken away again by patchelf --shrink-rpath.
dynamic=1
rpath=()
seen=:@glibc@/lib:

add() {
    case $seen in
    *:"$1":*) ;;
    *)
        seen+=$1:
        rpath+=(-rpath "$1")
        ;;
    esac
}

addFolder() {
    case $1 in
    @tools@/* | @dev@/* | @cxxLib@*) return ;;
    /nix/store/*) ;;
    *) return ;;
    esac
    local file
    for file in "$1"/*.so*; do
        if [ -e "$file" ]; then
            add "$1"
        fi
        break
    done
}

# The empty system root is for the compiler's search of headers. Here it would be
# put in front of the folders in which libraries say their neighbours are.
arguments=()
previous=
for arg in "$@" $NIX_LDFLAGS; do
    case $arg in --sysroot=*) continue ;; esac
    arguments+=("$arg")
    case $previous in -L) addFolder "$arg" ;; esac
    case $arg in
    -static | -r | --relocatable) dynamic= ;;
    -L?*) addFolder "${arg#-L}" ;;
    @tools@/* | @dev@/* | @cxxLib@/*) ;;
    /nix/store/*.so | /nix/store/*.so.*) add "${arg%/*}" ;;
    esac
    previous=$arg
done
if [ -z "$dynamic" ]; then
    exec @real@ "${arguments[@]}"
fi
exec @real@ "${arguments[@]}" "${rpath[@]}" -rpath @glibc@/lib -dynamic-linker @glibc@/lib/ld-linux-x86-64.so.2
