# From the source to the installed files.

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
