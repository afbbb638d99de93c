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

# --- settings -----------------------------------------------------------------

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

# --- hooks --------------------------------------------------------------------

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

# --- search paths -------------------------------------------------------------

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

# --- inputs -------------------------------------------------------------------

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

# --- outputs ------------------------------------------------------------------

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

# --- phases -------------------------------------------------------------------

unpackFile() {
    local archive=$1
    echo "unpacking $archive"
    runHookUnpack "$archive" && return
    if [ -d "$archive" ]; then
        local name=${archive##*/}
        case $name in [0-9a-z]*-*) [ ${#name} -gt 33 ] && name=${name:33} ;; esac
        cp -r --preserve=mode,timestamps --reflink=auto -- "$archive" "$name"
        return
    fi
    case $archive in
    *.tar | *.tar.* | *.tgz | *.tbz2 | *.tbz | *.txz)
        tar xf "$archive" --no-same-owner --mode=+w --warning=no-timestamp
        ;;
    *)
        echo "unpack $archive: not an archive of a known kind (.tar, .tar.gz, .tar.bz2, .tar.xz, folder)" >&2
        exit 1
        ;;
    esac
}

# Commands in unpackCmd and the hooks of inputs may know more kinds of archives.
runHookUnpack() {
    local curSrc=$1 command
    for command in "${unpackCmdHooks[@]}"; do
        "$command" "$curSrc" && return 0
    done
    if [ -n "${unpackCmd:-}" ]; then
        eval "$unpackCmd"
        return 0
    fi
    return 1
}

unpackPhase() {
    runHook preUnpack
    local -a sources=() created=()
    local before entry archive
    if [ -n "${srcs:-}" ]; then
        collect sources srcs
    elif [ -n "${src:-}" ]; then
        sources=("$src")
    else
        echo "neither src nor srcs is set (or set dontUnpack)" >&2
        exit 1
    fi
    local -A known=()
    for entry in *; do known[$entry]=1; done
    for archive in "${sources[@]}"; do unpackFile "$archive"; done
    if [ -n "${setSourceRoot:-}" ]; then
        runCode "$setSourceRoot"
    elif [ -z "${sourceRoot:-}" ]; then
        for entry in *; do
            if [ -d "$entry" ] && [ -z "${known[$entry]:-}" ]; then
                created+=("$entry")
            fi
        done
        if [ ${#created[@]} != 1 ]; then
            echo "unpacking made ${#created[@]} folders (${created[*]}): say which is the source with sourceRoot" >&2
            exit 1
        fi
        sourceRoot=${created[0]}
    fi
    if ! isSet dontMakeSourcesWritable; then
        chmod -R u+w -- "$sourceRoot"
    fi
    local newest
    newest=$(find "$sourceRoot" -type f -printf '%T@\n' | sort -n | tail -n 1)
    newest=${newest%.*}
    # The source's newest file is the time of the build; a store path's 1 says nothing.
    if [ -n "$newest" ] && [ "$newest" -gt 315532800 ]; then
        export SOURCE_DATE_EPOCH=$newest
    fi
    echo "source root is $sourceRoot"
    runHook postUnpack
}

patchPhase() {
    runHook prePatch
    local file
    local -a list=() flags=()
    collect list patches
    collect flags patchFlags
    [ ${#flags[@]} != 0 ] || flags=(-p1)
    for file in "${list[@]}"; do
        echo "applying $file"
        case $file in
        *.gz) gzip -d <"$file" ;;
        *.xz) xz -d <"$file" ;;
        *.bz2) bzip2 -d <"$file" ;;
        *) cat "$file" ;;
        esac | patch "${flags[@]}"
    done
    runHook postPatch
}

configurePhase() {
    runHook preConfigure
    if [ -z "${configureScript:-}" ] && [ -x ./configure ]; then
        configureScript=./configure
    fi
    if [ -n "${configureScript:-}" ]; then
        local script=${configureScript%% *}
        local -a flags=()
        if ! isSet dontAddPrefix; then
            flags+=("${prefixKey:---prefix=}$prefix")
        fi
        if [[ $outputNames == *" "* ]] && ! isSet dontAddOutputDirs && [ "${setOutputFlags-1}" ]; then
            flags+=(
                "--bindir=${!outputBin}/bin" "--sbindir=${!outputBin}/sbin"
                "--includedir=${!outputInclude}/include" "--libdir=${!outputLib}/lib"
                "--mandir=${!outputMan}/share/man" "--infodir=${!outputInfo}/share/info"
                "--docdir=${!outputDoc}/share/doc/${pname:-$name}"
            )
        fi
        if [ -f "$script" ] && ! isSet dontAddDisableDepTrack && grep -q dependency-tracking "$script"; then
            flags+=(--disable-dependency-tracking)
        fi
        if [ -f "$script" ] && isSet dontDisableStatic; then
            :
        elif [ -f "$script" ] && grep -q enable-static "$script"; then
            flags+=(--disable-static)
        fi
        collect flags configureFlags configureFlagsArray
        echo "configure flags: ${flags[*]}"
        if [ -f "$script" ] && [ "$script" = "$configureScript" ] && [[ $(head -c 2 "$script") == '#!' ]]; then
            $SHELL "$script" "${flags[@]}" || showConfigLog
        else
            $configureScript "${flags[@]}" || showConfigLog
        fi
    else
        echo "no configure script, doing nothing"
    fi
    runHook postConfigure
}

showConfigLog() {
    if [ -f config.log ]; then
        echo "the end of config.log:" >&2
        grep -n -B 30 -m 1 '^## Cache variables' config.log >&2 || tail -n 40 config.log >&2
    fi
    return 1
}

# runMake WHAT-IS-PARALLEL SETTING... -- TARGET...
runMake() {
    local parallel=$1
    shift
    local -a flags=("SHELL=$SHELL")
    if isSet "$parallel"; then
        flags+=("-j$NIX_BUILD_CORES")
    fi
    [ -z "${makefile:-}" ] || flags+=(-f "$makefile")
    local setting
    while [ "$1" != -- ]; do
        setting=$1
        collect flags "$setting"
        shift
    done
    shift
    flags+=("$@")
    echo "make flags: ${flags[*]}"
    make "${flags[@]}"
}

hasMakefile() {
    [ -n "${makefile:-}" ] || [ -e Makefile ] || [ -e makefile ] || [ -e GNUmakefile ]
}

buildPhase() {
    runHook preBuild
    if [ -n "${makeFlags:-}${buildFlags:-}${makefile:-}" ] || hasMakefile; then
        runMake enableParallelBuilding makeFlags makeFlagsArray buildFlags buildFlagsArray --
    else
        echo "no Makefile, doing nothing"
    fi
    runHook postBuild
}

checkPhase() {
    runHook preCheck
    if hasMakefile; then
        if [ -z "${checkTarget:-}" ]; then
            local target
            for target in check test; do
                if make -n "SHELL=$SHELL" "$target" >/dev/null 2>&1; then
                    checkTarget=$target
                    break
                fi
            done
        fi
        if [ -n "${checkTarget:-}" ]; then
            runMake enableParallelChecking makeFlags makeFlagsArray checkFlags checkFlagsArray -- $checkTarget
        else
            echo "no check or test target, doing nothing"
        fi
    fi
    runHook postCheck
}

installPhase() {
    runHook preInstall
    mkdir -p "$prefix"
    if hasMakefile; then
        runMake enableParallelInstalling makeFlags makeFlagsArray installFlags installFlagsArray -- ${installTargets:-install}
    else
        echo "no Makefile, doing nothing"
    fi
    runHook postInstall
}

installCheckPhase() {
    runHook preInstallCheck
    if hasMakefile; then
        runMake enableParallelChecking makeFlags makeFlagsArray installCheckFlags installCheckFlagsArray -- ${installCheckTarget:-installcheck}
    fi
    runHook postInstallCheck
}

distPhase() {
    runHook preDist
    runMake enableParallelBuilding distFlags distFlagsArray -- ${distTarget:-dist}
    if ! isSet dontCopyDist; then
        mkdir -p "$out/tarballs"
        cp -p -- ${tarballs:-*.tar.*} "$out/tarballs"
    fi
    runHook postDist
}

# --- fixup --------------------------------------------------------------------

# isELF FILE, isScript FILE: by their first bytes.
isELF() {
    local magic=
    IFS= LC_ALL=C read -r -N 4 magic <"$1" 2>/dev/null || true
    [ "$magic" = $'\x7fELF' ]
}

isScript() {
    local magic=
    IFS= LC_ALL=C read -r -N 2 magic <"$1" 2>/dev/null || true
    [ "$magic" = '#!' ]
}

# patchShebangs [--host|--build|--update] PATH...: let scripts name their
# interpreter in the store. Files keep their times: make looks at them.
patchShebangs() {
    local where=$PATH
    while :; do
        case ${1:-} in
        --host) where=$HOST_PATH ;;
        --build) where=$PATH ;;
        --update) ;;
        --) ;;
        *) break ;;
        esac
        shift
    done
    local file line interpreter rest name found stamp
    while IFS= read -r -d '' file; do
        isScript "$file" || continue
        IFS= read -r line <"$file" || [ -n "$line" ] || continue
        line=${line#\#!}
        line=${line#"${line%%[![:blank:]]*}"}
        interpreter=${line%%[[:blank:]]*}
        rest=${line#"$interpreter"}
        rest=${rest#"${rest%%[![:blank:]]*}"}
        case $interpreter in
        "$NIX_STORE"/* | "") continue ;;
        */env)
            name=${rest%%[[:blank:]]*}
            rest=${rest#"$name"}
            rest=${rest#"${rest%%[![:blank:]]*}"}
            case $name in
            -S | *=*)
                echo "$file: interpreter line with 'env $name' is left as it is" >&2
                continue
                ;;
            esac
            ;;
        *) name=${interpreter##*/} ;;
        esac
        found=$(PATH=$where type -P "$name") || continue
        stamp=$(stat -c %y -- "$file")
        echo "$file: interpreter is $found"
        local mode
        mode=$(stat -c %a -- "$file")
        chmod u+w -- "$file"
        sed -i "1s|.*|#!$found${rest:+ $rest}|" -- "$file"
        chmod "$mode" -- "$file"
        touch -d "$stamp" -- "$file"
    done < <(find "$@" -type f -perm /0111 -print0)
}

# stripAndShrink OUTPUT: drop what is not needed at run time from ELF files.
stripAndShrink() {
    local file
    while IFS= read -r -d '' file; do
        case $file in
        *.a | *.o)
            isSet dontStrip || strip --strip-debug --enable-deterministic-archives "$file" 2>/dev/null || true
            continue
            ;;
        esac
        isELF "$file" || continue
        chmod u+w -- "$file"
        if ! isSet dontStrip; then
            case ${file##*/} in
            *.so | *.so.*) strip ${stripDebugFlags:---strip-unneeded} -R .comment "$file" ;;
            *) strip ${stripAllFlags:---strip-all} -R .comment "$file" ;;
            esac || echo "$file: not stripped" >&2
        fi
        if ! isSet dontPatchELF && hasRunPath "$file"; then
            patchelf --shrink-rpath "$file"
        fi
    done < <(find "$1" -type f -print0)
}

hasRunPath() {
    readelf -d "$1" 2>/dev/null | grep -qE '\((RUNPATH|RPATH)\)'
}

writeNixSupport() {
    local dev=${!outputDev}
    local -a native=() host=()
    collect native propagatedNativeBuildInputs
    collect host propagatedBuildInputs
    # Who has the headers as input gets programs and libraries with them.
    local name
    for name in ${propagatedBuildOutputs-$outputBin $outputInclude $outputLib}; do
        if [ "$name" != "$outputDev" ] && [ -e "${!name}" ] && [[ " ${host[*]} " != *" ${!name} "* ]]; then
            host+=("${!name}")
        fi
    done
    if [ ${#native[@]} != 0 ]; then
        mkdir -p "$dev/nix-support"
        printf '%s\n' "${native[@]}" >"$dev/nix-support/propagated-native-build-inputs"
    fi
    if [ ${#host[@]} != 0 ]; then
        mkdir -p "$dev/nix-support"
        printf '%s\n' "${host[@]}" >"$dev/nix-support/propagated-build-inputs"
    fi
    if [ -n "${setupHook:-}" ]; then
        mkdir -p "$dev/nix-support"
        substituteAll "$setupHook" "$dev/nix-support/setup-hook"
    fi
}

fixupPhase() {
    local name output
    for name in $outputNames; do
        if [ -e "${!name}" ]; then chmod -R u+w -- "${!name}"; fi
    done
    runHook preFixup
    if [[ $outputNames == *" "* ]]; then
        moveToOutput include "$outputInclude"
        moveToOutput lib/pkgconfig "$outputDev"
        moveToOutput share/pkgconfig "$outputDev"
        moveToOutput lib/cmake "$outputDev"
        moveToOutput share/aclocal "$outputDev"
        moveToOutput "lib/*.a" "${outputStatic:-$outputDev}"
        moveToOutput share/man "$outputMan"
        moveToOutput share/info "$outputInfo"
        moveToOutput share/doc "$outputDoc"
    fi
    for name in $outputNames; do
        output=${!name}
        [ -e "$output" ] || continue
        # An index of all manuals differs with the order of installation.
        rm -f "$output/share/info/dir"
        find "$output" -name '*.la' -type f -delete
        if ! isSet dontPatchShebangs; then
            patchShebangs --host "$output"
        fi
        stripAndShrink "$output"
        prefix=$output runHook fixupOutput
    done
    writeNixSupport
    runHook postFixup
}

# --- texts --------------------------------------------------------------------

# substitute FROM TO (--replace OLD NEW | --replace-fail OLD NEW | --replace-warn
# OLD NEW | --replace-quiet OLD NEW | --subst-var NAME | --subst-var-by NAME VALUE)...
substitute() {
    local from=$1 to=$2 content old new strict
    shift 2
    if [ ! -f "$from" ]; then
        echo "substitute: $from does not exist" >&2
        return 1
    fi
    # The mark keeps line ends at the end of the file from being cut off.
    content=$(cat -- "$from" && printf x)
    content=${content%x}
    while [ $# -gt 0 ]; do
        strict=
        case $1 in
        --replace | --replace-warn) strict=warn ;;
        --replace-fail) strict=fail ;;
        --replace-quiet) ;;
        --subst-var)
            old=@$2@ new=${!2-}
            content=${content//"$old"/"$new"}
            shift 2
            continue
            ;;
        --subst-var-by)
            old=@$2@ new=$3
            content=${content//"$old"/"$new"}
            shift 3
            continue
            ;;
        *)
            echo "substitute: unknown argument $1" >&2
            return 1
            ;;
        esac
        old=$2 new=$3
        shift 3
        if [[ $content != *"$old"* ]]; then
            case $strict in
            fail)
                echo "substitute: '$old' is not in $from" >&2
                return 1
                ;;
            warn) echo "substitute: '$old' is not in $from" >&2 ;;
            esac
        fi
        content=${content//"$old"/"$new"}
    done
    if [ -e "$to" ]; then chmod u+w -- "$to"; fi
    printf '%s' "$content" >"$to"
}

substituteInPlace() {
    local -a files=()
    while [ $# -gt 0 ] && [[ $1 != --* ]]; do
        files+=("$1")
        shift
    done
    local file
    for file in "${files[@]}"; do
        substitute "$file" "$file" "$@"
    done
}

# substituteAll FROM TO: @name@ for every variable of the environment.
substituteAll() {
    local name
    local -a arguments=()
    while IFS= read -r name; do
        case $name in [a-z]*) arguments+=(--subst-var "$name") ;; esac
    done < <(compgen -e)
    substitute "$1" "$2" "${arguments[@]}"
}

substituteAllInPlace() {
    substituteAll "$1" "$1"
}

# makeWrapper PROGRAM WRAPPER ARGUMENT...: a script that sets the environment and
# then becomes the program. The script's shell has to be among buildInputs.
makeWrapper() {
    local program=$1 wrapper=$2 name
    shift 2
    local shell
    shell=$(PATH=$HOST_PATH type -P bash) || {
        echo "makeWrapper: bash is not among buildInputs" >&2
        return 1
    }
    mkdir -p "${wrapper%/*}"
    {
        echo "#!$shell"
        local flags=
        while [ $# -gt 0 ]; do
            case $1 in
            --set) printf 'export %s=%q\n' "$2" "$3"; shift 3 ;;
            --set-default) printf 'export %s=${%s-%q}\n' "$2" "$2" "$3"; shift 3 ;;
            --unset) echo "unset $2"; shift 2 ;;
            --prefix) printf 'export %s=%q${%s:+%q$%s}\n' "$2" "$4" "$2" "$3" "$2"; shift 4 ;;
            --suffix) printf 'export %s=${%s:+$%s%q}%q\n' "$2" "$2" "$2" "$3" "$4"; shift 4 ;;
            --run) echo "$2"; shift 2 ;;
            --chdir) printf 'cd %q\n' "$2"; shift 2 ;;
            --add-flags) flags+=" $2"; shift 2 ;;
            --argv0) name=$2; shift 2 ;;
            --inherit-argv0) name='$0'; shift ;;
            *) echo "makeWrapper: unknown argument $1" >&2; return 1 ;;
            esac
        done
        echo "exec ${name:+-a \"$name\" }$(printf %q "$program")$flags \"\$@\""
    } >"$wrapper"
    chmod 755 "$wrapper"
}

wrapProgram() {
    local program=$1
    shift
    local hidden=${program%/*}/.${program##*/}-wrapped
    mv "$program" "$hidden"
    makeWrapper "$hidden" "$program" --inherit-argv0 "$@"
}

# --- all of it ----------------------------------------------------------------

# announce PHASE: in the log, and to the program that runs the build.
announce() {
    echo "running phase: $1"
    if [ -n "${NIX_LOG_FD:-}" ]; then
        echo "@nix { \"action\": \"setPhase\", \"phase\": \"$1\" }" >&"$NIX_LOG_FD"
    fi
}

runPhase() {
    local phase=$1
    case $phase in
    unpackPhase) isSet dontUnpack && return ;;
    patchPhase) isSet dontPatch && return ;;
    configurePhase) isSet dontConfigure && return ;;
    buildPhase) isSet dontBuild && return ;;
    checkPhase) isSet doCheck || return 0 ;;
    installPhase) isSet dontInstall && return ;;
    fixupPhase) isSet dontFixup && return ;;
    installCheckPhase) isSet doInstallCheck || return 0 ;;
    distPhase) isSet doDist || return 0 ;;
    esac
    announce "$phase"
    if [ -n "${!phase:-}" ]; then
        eval "${!phase}"
    else
        "$phase"
    fi
    if [ "$phase" = unpackPhase ] && [ -n "${sourceRoot:-}" ]; then
        cd -- "$sourceRoot"
    fi
}

genericBuild() {
    if [ -n "${buildCommandPath:-}" ]; then
        . "$buildCommandPath"
        return
    fi
    if [ -n "${buildCommand:-}" ]; then
        eval "$buildCommand"
        return
    fi
    local -a list=()
    if [ -n "${phases:-}" ]; then
        collect list phases
    else
        collect list prePhases
        list+=(unpackPhase patchPhase)
        collect list preConfigurePhases
        list+=(configurePhase)
        collect list preBuildPhases
        list+=(buildPhase checkPhase)
        collect list preInstallPhases
        list+=(installPhase)
        collect list preFixupPhases
        list+=(fixupPhase installCheckPhase)
        collect list preDistPhases
        list+=(distPhase)
        collect list postPhases
    fi
    local phase
    for phase in "${list[@]}"; do
        runPhase "$phase"
    done
}

onExit() {
    local status=$?
    trap - EXIT
    if [ $status != 0 ]; then
        runHook failureHook
        exit $status
    fi
    runHook exitHook
    exit 0
}
trap onExit EXIT

assignOutputs
activateInputs
runHook addInputs
