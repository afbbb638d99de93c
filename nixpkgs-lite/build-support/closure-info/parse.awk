# Reads the attributes of a structured derivation and writes what its attribute
# `closure` says: a list of { narHash, narSize, path, references, … } in a JSON
# text without line breaks. A store path has no character that JSON escapes.
function field(record, name,    rest) {
    if (!match(record, "\"" name "\":")) return ""
    rest = substr(record, RSTART + RLENGTH)
    if (rest ~ /^"/) {
        rest = substr(rest, 2)
        return substr(rest, 1, index(rest, "\"") - 1)
    }
    match(rest, /^[^,}\]]*/)
    return substr(rest, 1, RLENGTH)
}

{ text = text $0 }

END {
    if (!match(text, /"closure":\[/)) {
        print "closure-info: the attributes have no closure" > "/dev/stderr"
        exit 1
    }
    text = substr(text, RSTART + RLENGTH)
    while (match(text, /^,?\{/)) {
        text = substr(text, RLENGTH + 1)
        end = index(text, "}")
        record = substr(text, 1, end - 1)
        text = substr(text, end + 1)

        path = field(record, "path")
        size = field(record, "narSize")
        total += size
        print path > (out "/store-paths")

        references = ""
        count = 0
        if (match(record, /"references":\[[^\]]*\]/)) {
            list = substr(record, RSTART, RLENGTH)
            while (match(list, /"\/[^"]*"/)) {
                references = references substr(list, RSTART + 1, RLENGTH - 2) "\n"
                count++
                list = substr(list, RSTART + RLENGTH)
            }
        }
        # Nothing is said of the derivation that made it.
        printf "%s\n%s\n%s\n\n%d\n%s", path, field(record, "narHash"), size, count, references > (out "/registration")
    }
    printf "%d\n", total > (out "/total-nar-size")
}
