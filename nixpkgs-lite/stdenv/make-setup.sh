# Writes the script that builders source, with its shell and programs filled in.
mkdir -p $out
sed -e "s|@shell@|$shell|g" -e "s|@path@|$PATH|g" $setup > $out/setup
