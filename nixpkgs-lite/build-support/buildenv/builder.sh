# Links the wanted files of the packages in $chosenPath below $out.
declare -A rankOf

# wanted RELATIVE: whether a file is in a wanted folder. onTheWay RELATIVE:
# whether a folder contains a wanted one.
wanted() {
    local dir
    while IFS= read -r dir; do
        [ "$dir" != / ] || return 0
        case /$1/ in "$dir"/*) return 0 ;; esac
    done <<<"$pathsToLink"
    return 1
}

onTheWay() {
    local dir
    while IFS= read -r dir; do
        case $dir/ in "/$1"/*) return 0 ;; esac
    done <<<"$pathsToLink"
    return 1
}

# place RANK FROM RELATIVE: a file or folder of a package at its place.
place() {
    local rank=$1 from=$2 relative=$3 to=$target/$3 entry old
    case $relative in nix-support | nix-support/* | propagated-build-inputs | log) return ;; esac
    if [ -d "$from" ] && ! wanted "$relative"; then
        if onTheWay "$relative"; then
            mkdir -p "$to"
            placeAll "$rank" "$from" "$relative"
        fi
        return
    fi
    wanted "$relative" || return 0
    if [ ! -e "$to" ] && [ ! -L "$to" ]; then
        ln -s "$from" "$to"
        rankOf[$relative]=$rank
        return
    fi
    if [ -d "$from" ] && [ -d "$to" ]; then
        if [ -L "$to" ]; then
            old=$(readlink "$to")
            [ "$old" != "$from" ] || return 0
            rm "$to"
            mkdir "$to"
            placeAll "${rankOf[$relative]}" "$old" "$relative"
        fi
        placeAll "$rank" "$from" "$relative"
        return
    fi
    old=$(readlink "$to" || true)
    [ "$old" != "$from" ] || return 0
    if [ -f "$from" ] && [ -f "$to" ] && cmp -s "$from" "$to"; then
        return
    fi
    # The one there came first: it has the better priority, or the same one.
    if [ "${rankOf[$relative]:-}" = "$rank" ] && [ -z "$ignoreCollisions" ]; then
        echo "buildEnv: $from and ${old:-$to} want the same place; ignoreCollisions takes the first, a priority (lib.hiPrio) decides" >&2
        exit 1
    fi
}

placeAll() {
    local rank=$1 from=$2 relative=$3 entry
    shopt -s dotglob
    for entry in "$from"/*; do
        place "$rank" "$entry" "${relative:+$relative/}${entry##*/}"
    done
}

target=$out$extraPrefix
mkdir -p "$target"
while read -r rank list; do
    for path in $list; do
        if [ -d "$path" ]; then
            placeAll "$rank" "$path" ""
        else
            echo "buildEnv: $path is no folder" >&2
            exit 1
        fi
    done
done <"$chosenPath"
cd "$out"
eval "$postBuild"
