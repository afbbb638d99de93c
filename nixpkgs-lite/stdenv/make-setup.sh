# Writes the script that builders source: its parts in a row, with its shell and
# programs filled in.
mkdir -p $out
cat $parts | sed -e "s|@shell@|$shell|g" -e "s|@path@|$PATH|g" > $out/setup
