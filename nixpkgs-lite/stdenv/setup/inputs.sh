# What a package is built from and into: inputs and their hooks, outputs.

declare -a envHooks allInputs pkgsHostTarget pkgsBuildHost
declare -A seenInputs

# findInput KIND PATH: an input, and what it says has to come with it.
findInput() {
    local kind=$1 input=$2 file word
    [ -e "$input" ] || { echo "input $input does not exist" >&2; exit 1; }
    [ -z "${seenInputs[$kind:$input]:-}" ] || return 0
    seenInputs[$kind:$input]=1
    allInputs+=("$input")
    case $kind in
    native) pkgsBuildHost+=("$input") ;;
    *) pkgsHostTarget+=("$input") ;;
    esac
    file=$input/nix-support/propagated-native-build-inputs
    if [ -f "$file" ]; then
        for word in $(<"$file"); do findInput native "$word"; done
    fi
    file=$input/nix-support/propagated-build-inputs
    if [ -f "$file" ]; then
        for word in $(<"$file"); do findInput "$kind" "$word"; done
    fi
}

activateInput() {
    local input=$1
    if [ -f "$input" ]; then
        . "$input"
        return
    fi
    if [ -d "$input/bin" ]; then
        PATH=$PATH:$input/bin
    fi
    if [ -f "$input/nix-support/setup-hook" ]; then
        . "$input/nix-support/setup-hook"
    fi
}

activateInputs() {
    local input hook
    local -a native=() host=()
    collect native nativeBuildInputs propagatedNativeBuildInputs
    collect host buildInputs propagatedBuildInputs
    for input in "${native[@]}"; do findInput native "$input"; done
    for input in "${host[@]}"; do findInput host "$input"; done

    # Inputs first, in their order, then the tools that are always there.
    PATH=
    for input in "${allInputs[@]}"; do activateInput "$input"; done
    PATH=${PATH#:}
    PATH=${PATH:+$PATH:}$initialPath
    for input in "${pkgsHostTarget[@]}"; do
        if [ -d "$input/bin" ]; then
            HOST_PATH+=${HOST_PATH:+:}$input/bin
        fi
    done
    for input in "${allInputs[@]}"; do
        for hook in addFlagsOf "${envHooks[@]}"; do
            "$hook" "$input"
        done
    done
}

# addFlagsOf INPUT: let compiler, linker and pkg-config find what is in it.
addFlagsOf() {
    if [ -d "$1/include" ]; then
        export NIX_CFLAGS_COMPILE+=" -isystem $1/include"
    fi
    if [ -d "$1/lib" ]; then
        export NIX_LDFLAGS+=" -L$1/lib"
    fi
    addToSearchPath PKG_CONFIG_PATH "$1/lib/pkgconfig"
    addToSearchPath PKG_CONFIG_PATH "$1/share/pkgconfig"
}

# assignOutput VARIABLE NAME...: the first of the outputs that exists.
assignOutput() {
    local variable=$1 name
    shift
    [ -z "${!variable:-}" ] || return 0
    for name in "$@"; do
        if [ -n "${!name:-}" ] && [[ " $outputNames " == *" $name "* ]]; then
            export "$variable=$name"
            return
        fi
    done
}

assignOutputs() {
    local first=${outputNames%% *}
    assignOutput outputDev dev out "$first"
    assignOutput outputBin bin out "$first"
    assignOutput outputLib lib out "$first"
    assignOutput outputInclude include "$outputDev"
    assignOutput outputDoc doc out "$first"
    assignOutput outputMan man "$outputBin"
    assignOutput outputInfo info "$outputBin"
    prefix=${prefix-${out:-${!first}}}
}

getAllOutputNames() {
    echo "$outputNames"
}

# moveToOutput PATTERN OUTPUT: files that match, from all outputs to one.
moveToOutput() {
    local pattern=$1 target=${!2} name from file
    for name in $outputNames; do
        from=${!name}
        [ "$from" != "$target" ] && [ -d "$from" ] || continue
        for file in "$from"/$pattern; do
            [ -e "$file" ] || [ -L "$file" ] || continue
            local to=$target/${file#"$from"/}
            mkdir -p "${to%/*}"
            if [ -d "$file" ] && [ -d "$to" ]; then
                cp -a "$file/." "$to/"
                rm -rf "$file"
            else
                mv "$file" "$to"
            fi
            rmdir -p --ignore-fail-on-non-empty "${file%/*}" 2>/dev/null || true
        done
    done
}
