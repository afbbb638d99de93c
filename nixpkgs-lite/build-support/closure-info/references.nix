# The runtime closure of paths as a file with a line each.
{ runCommand }:
rec {
  writeClosure =
    paths:
    runCommand "runtime-deps"
      {
        # Pairs of a file's name and the path whose references it lists.
        exportReferencesGraph = builtins.concatLists (
          builtins.genList (n: [
            "graph-${toString n}"
            (builtins.elemAt paths n)
          ]) (builtins.length paths)
        );
        graphs = builtins.genList (n: "graph-${toString n}") (builtins.length paths);
      }
      ''
        touch $out
        for graph in $graphs; do
          # A record: path, deriver, number of references, a line each.
          while IFS= read -r path; do
            echo "$path"
            IFS= read -r deriver
            IFS= read -r count
            for ((; count > 0; count--)); do
              IFS= read -r reference
            done
          done < $graph
        done | LC_ALL=C sort -u > $out
      '';
  writeReferencesToFile = path: writeClosure [ path ];
}
