# The phases of a build. Sourced by builders; what is set here is what every
# package finds. Settings come as environment variables, see make-derivation.nix.
set -eo pipefail
shopt -s nullglob inherit_errexit
umask 022

if [ -e "${NIX_ATTRS_SH_FILE:-}" ]; then
    . "$NIX_ATTRS_SH_FILE"
    outputNames="${!outputs[*]}"
    for _name in "${!outputs[@]}"; do
        export "$_name=${outputs[$_name]}"
    done
else
    outputNames=${outputs:-out}
fi

export SHELL=@shell@ CONFIG_SHELL=@shell@
export LC_ALL=${LC_ALL:-C} TZ=${TZ:-UTC}
# Times of files that are older than the first archive format that keeps them.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
export GCC_COLORS= GCC_URLS=no
export AR=ar AS=as LD=ld NM=nm RANLIB=ranlib STRIP=strip
export PATH=@path@
initialPath=$PATH
# Where programs that end up in outputs find interpreters: nothing but buildInputs.
HOST_PATH=

: "${NIX_BUILD_TOP:=$PWD}"
if [ "${NIX_BUILD_CORES:-1}" -le 0 ] 2>/dev/null; then
    NIX_BUILD_CORES=$(nproc)
fi
export NIX_BUILD_CORES=${NIX_BUILD_CORES:-1}

# words NAME: the words of a setting, which is an array or a string, one a line.
words() {
    local -n _ref=$1 2>/dev/null || return 0
    if [[ $(declare -p "$1" 2>/dev/null) == "declare -a"* ]]; then
        [ ${#_ref[@]} = 0 ] || printf '%s\n' "${_ref[@]}"
    elif [ -n "${!1:-}" ]; then
        # Words of a string: split at blanks, but not expanded as patterns.
        local -a _list
        read -r -d '' -a _list <<<"${!1}" || true
        [ ${#_list[@]} = 0 ] || printf '%s\n' "${_list[@]}"
    fi
}

# collect TARGET NAME...: append the words of some settings to an array.
collect() {
    local -n _target=$1
    shift
    local _setting _word
    for _setting in "$@"; do
        case $_setting in
        *Array)
            local -n _array=$_setting
            _target+=("${_array[@]}")
            ;;
        *) while IFS= read -r _word; do _target+=("$_word"); done < <(words "$_setting") ;;
        esac
    done
}

# isSet NAME: whether a setting is there, and neither empty nor 0.
isSet() {
    [ -n "${!1:-}" ] && [ "${!1}" != 0 ]
}

# runHook NAME: the functions registered for NAME, then the one called NAME or
# the code in the variable NAME.
runHook() {
    local hook=$1 function
    shift
    local -n registered="${hook}Hooks" 2>/dev/null
    for function in "${registered[@]}"; do
        runCode "$function" "$@"
    done
    if [ -n "${!hook:-}" ]; then
        runCode "${!hook}" "$@"
    elif declare -F "$hook" >/dev/null; then
        "$hook" "$@"
    fi
}

runOneHook() {
    runHook "$@"
}

runCode() {
    if [[ $1 != *[$' \t\n=']* ]] && declare -F "$1" >/dev/null; then
        "$@"
    else
        local code=$1
        shift
        eval "$code"
    fi
}

# addEnvHooks [OFFSET] FUNCTION...: call functions with each input.
addEnvHooks() {
    case $1 in *[!0-9-]*) ;; *) shift ;; esac
    envHooks+=("$@")
}

addToSearchPathWithCustomDelimiter() {
    local delimiter=$1 name=$2 dir=$3
    if [ -d "$dir" ]; then
        export "$name=${!name:+${!name}$delimiter}$dir"
    fi
}

addToSearchPath() {
    addToSearchPathWithCustomDelimiter : "$@"
}

prependToPath() {
    [ ! -d "$1" ] || PATH=$1${PATH:+:$PATH}
}
