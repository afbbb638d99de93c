# What is done to installed files: interpreters, symbols, search paths.

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
