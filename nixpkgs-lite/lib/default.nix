# The function library: one file a subject, and every function also at the top.
#
# The subjects are loaded lazily: a file that is not asked for is not read.
let
  fixedPoints = import ./fixed-points.nix;

  lib = fixedPoints.makeExtensible (
    self:
    let
      subject = file: import file { lib = self; };
    in
    {
      inherit fixedPoints;
      trivial = subject ./trivial.nix;
      lists = subject ./lists.nix;
      attrsets = subject ./attrsets.nix;
      strings = subject ./strings.nix;
      versions = subject ./versions.nix;
      customisation = subject ./customisation.nix;
      meta = subject ./meta.nix;
      sources = subject ./sources.nix;
      filesystem = subject ./filesystem.nix;
      generators = subject ./generators.nix;
      asserts = subject ./asserts.nix;
      debug = subject ./debug.nix;
      fetchers = subject ./fetchers.nix;
      licenses = subject ./licenses.nix;
      platforms = import ./platforms.nix;
      # People are written down by name, not by a list of them.
      maintainers = { };
      teams = { };

      inherit (builtins)
        add
        addErrorContext
        all
        any
        attrNames
        attrValues
        baseNameOf
        bitAnd
        bitOr
        bitXor
        catAttrs
        ceil
        compareVersions
        concatLists
        concatMap
        concatStringsSep
        deepSeq
        dirOf
        div
        elem
        elemAt
        filter
        floor
        foldl'
        fromJSON
        functionArgs
        genList
        getAttr
        groupBy
        hasAttr
        head
        intersectAttrs
        isAttrs
        isBool
        isFloat
        isInt
        isList
        isPath
        isString
        length
        lessThan
        listToAttrs
        mapAttrs
        match
        mul
        parseDrvName
        partition
        pathExists
        readDir
        readFile
        removeAttrs
        replaceStrings
        seq
        sort
        split
        splitVersion
        stringLength
        sub
        substring
        tail
        toJSON
        toPath
        toString
        trace
        tryEval
        typeOf
        zipAttrsWith
        ;
    }
    // fixedPoints
    // import ./trivial.nix { lib = self; }
    // import ./lists.nix { lib = self; }
    // import ./attrsets.nix { lib = self; }
    // import ./strings.nix { lib = self; }
    // import ./versions.nix { lib = self; }
    // import ./customisation.nix { lib = self; }
    // import ./meta.nix { lib = self; }
    // {
      inherit (self.sources)
        cleanSource
        cleanSourceFilter
        cleanSourceWith
        sourceByRegex
        sourceFilesBySuffices
        ;
      inherit (self.asserts) assertMsg assertOneOf;
      inherit (self.debug)
        traceVal
        traceValFn
        traceSeq
        traceValSeq
        traceIf
        ;
    }
  );
in
lib
