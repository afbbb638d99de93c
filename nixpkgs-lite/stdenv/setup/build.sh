# The order of it all.

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
