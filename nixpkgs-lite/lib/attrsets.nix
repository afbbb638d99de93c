# Attribute sets.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatMap
    elem
    foldl'
    hasAttr
    head
    isAttrs
    length
    listToAttrs
    mapAttrs
    removeAttrs
    ;
in
rec {
  nameValuePair = name: value: { inherit name value; };
  optionalAttrs = condition: set: if condition then set else { };
  genAttrs = names: f: listToAttrs (map (n: nameValuePair n (f n)) names);
  genAttrs' = list: f: listToAttrs (map f list);
  attrVals = names: set: map (n: set.${n}) names;
  getAttrs = names: set: genAttrs names (n: set.${n});
  isDerivation = x: x.type or null == "derivation";

  filterAttrs = pred: set: removeAttrs set (builtins.filter (n: !pred n set.${n}) (attrNames set));
  filterAttrsRecursive =
    pred: set:
    mapAttrs (_: v: if isAttrs v then filterAttrsRecursive pred v else v) (filterAttrs pred set);
  mapAttrs' = f: set: listToAttrs (map (n: f n set.${n}) (attrNames set));
  mapAttrsToList = f: set: map (n: f n set.${n}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  # Sets for which condition fails are values, not levels.
  mapAttrsRecursiveCond =
    condition: f: set:
    let
      go =
        path:
        mapAttrs (
          n: v: if isAttrs v && condition v then go (path ++ [ n ]) v else f (path ++ [ n ]) v
        );
    in
    go [ ] set;
  collect =
    pred: x:
    if pred x then
      [ x ]
    else if isAttrs x then
      concatMap (n: collect pred x.${n}) (attrNames x)
    else
      [ ];
  foldlAttrs =
    f: init: set:
    foldl' (acc: n: f acc n set.${n}) init (attrNames set);
  mergeAttrsList = foldl' (a: b: a // b) { };
  renameAttrs = names: mapAttrs' (n: nameValuePair (names.${n} or n));
  invertAttrs = mapAttrs' (n: v: nameValuePair v n);

  # Paths are lists of names.
  hasAttrByPath = path: set: hasAttrAt path 0 set;
  hasAttrAt =
    path: n: set:
    n == length path
    || (isAttrs set && hasAttr (builtins.elemAt path n) set && hasAttrAt path (n + 1) set.${builtins.elemAt path n});
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if isAttrs set && hasAttr (head path) set then
      attrByPath (builtins.tail path) default set.${head path}
    else
      default;
  getAttrFromPath =
    path: attrByPath path (throw "the attribute '${lib.concatStringsSep "." path}' is missing");
  setAttrByPath =
    path: value:
    if path == [ ] then value else { ${head path} = setAttrByPath (builtins.tail path) value; };
  setAttr = set: name: value: set // { ${name} = value; };

  # All values of a name, over all sets.
  zipAttrsWithNames =
    names: f: sets:
    genAttrs names (n: f n (builtins.catAttrs n sets));
  zipAttrsWith = f: sets: builtins.zipAttrsWith f sets;
  zipAttrs = zipAttrsWith (_: values: values);
  foldAttrs = op: nul: sets: mapAttrs (_: lib.foldr op nul) (zipAttrs sets);
  cartesianProduct =
    set:
    foldl' (acc: n: concatMap (one: map (v: one // { ${n} = v; }) set.${n}) acc) [ { } ] (attrNames set);
  cartesianProductOfSets = cartesianProduct;
  mapCartesianProduct = f: set: map f (cartesianProduct set);

  # b over a, level by level, down to where pred holds or one is no set.
  recursiveUpdateUntil =
    pred: a: b:
    let
      go =
        path:
        zipAttrsWith (
          n: values:
          let
            here = path ++ [ n ];
          in
          if length values == 1 || pred here (builtins.elemAt values 1) (head values) then
            head values
          else
            go here values
        );
    in
    go [ ] [ b a ];
  recursiveUpdate = recursiveUpdateUntil (_: l: r: !(isAttrs l && isAttrs r));
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };
  matchAttrs =
    pattern: set:
    lib.all (
      n:
      hasAttr n set
      && (if isAttrs pattern.${n} then isAttrs set.${n} && matchAttrs pattern.${n} set.${n} else pattern.${n} == set.${n})
    ) (attrNames pattern);
  overrideExisting = old: new: mapAttrs (n: v: new.${n} or v) old;
  intersectAttrNames = a: b: builtins.filter (n: elem n (attrNames a)) (attrNames b);
  unionOfDisjoint =
    a: b:
    let
      both = attrNames (builtins.intersectAttrs a b);
    in
    if both == [ ] then a // b else throw "attributes in both sets: ${lib.concatStringsSep ", " both}";

  # The output of a package that holds a kind of files: the first of the names that it has.
  getFirstOutput =
    names: pkg:
    if !isAttrs pkg || pkg.outputSpecified or false then
      pkg
    else
      let
        name = lib.findFirst (n: pkg ? ${n}) null names;
      in
      if name == null then pkg else pkg.${name};
  getOutput = name: getFirstOutput [ name "out" ];
  getBin = getOutput "bin";
  getLib = getFirstOutput [ "lib" "out" ];
  getStatic = getFirstOutput [ "static" "lib" "out" ];
  getDev = getOutput "dev";
  getMan = getOutput "man";
  getInclude = getFirstOutput [ "include" "dev" "out" ];
  chooseDevOutputs = map getDev;
}
