# Functions for packages: texts with other words, programs with settings.

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
