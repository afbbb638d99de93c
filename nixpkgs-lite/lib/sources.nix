# Source trees: which of the files below a folder go into the store.
{ lib }:
rec {
  # Version control, editors' left-overs, results of builds.
  cleanSourceFilter =
    name: type:
    let
      base = baseNameOf (toString name);
    in
    !(
      (type == "directory" && lib.elem base [ ".git" ".svn" ".hg" "CVS" ".bzr" "_darcs" ])
      || lib.hasSuffix "~" base
      || builtins.match "^\\..*\\.sw[a-z]$" base != null
      || builtins.match "^.*\\.o$" base != null
      || builtins.match "^.*\\.so$" base != null
      || (type == "symlink" && lib.hasPrefix "result" base)
      || type == "unknown"
    );
  cleanSourceWith =
    {
      filter ? _: _: true,
      src,
      name ? null,
    }:
    let
      before = src._isLibCleanSourceWith or false;
      origSrc = if before then src.origSrc else src;
      both = path: type: (if before then src.filter path type else true) && filter path type;
      storeName = if name != null then name else if before then src.name else baseNameOf (toString src);
    in
    {
      inherit origSrc;
      filter = both;
      outPath = builtins.path {
        filter = both;
        path = origSrc;
        name = storeName;
      };
      _isLibCleanSourceWith = true;
      name = storeName;
    };
  cleanSource =
    src:
    cleanSourceWith {
      filter = cleanSourceFilter;
      inherit src;
    };
  # Files whose path below src matches one of the expressions as a whole.
  sourceByRegex =
    src: regexes:
    let
      root = toString (if src ? origSrc then src.origSrc else src) + "/";
    in
    cleanSourceWith {
      inherit src;
      filter = path: _: lib.any (re: builtins.match re (lib.removePrefix root (toString path)) != null) regexes;
    };
  sourceFilesBySuffices =
    src: suffices:
    cleanSourceWith {
      inherit src;
      filter =
        name: type: type == "directory" || lib.any (s: lib.hasSuffix s (baseNameOf (toString name))) suffices;
    };
}
