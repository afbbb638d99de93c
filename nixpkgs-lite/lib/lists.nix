# Lists.
{ lib }:
let
  inherit (builtins)
    concatLists
    elem
    elemAt
    filter
    foldl'
    genList
    head
    length
    tail
    ;
in
rec {
  singleton = x: [ x ];
  toList = x: if builtins.isList x then x else [ x ];
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];

  forEach = list: f: map f list;
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  replicate = n: x: genList (_: x) n;
  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: imap0 (n: f (n + 1));
  concatMap = f: list: concatLists (map f list);

  # op (elem 0) (op (elem 1) (… nul)); lazy in what op is lazy in.
  foldr =
    op: nul: list:
    let
      go = n: if n == length list then nul else op (elemAt list n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  foldl =
    op: nul: list:
    let
      go = n: if n == 0 then nul else op (go (n - 1)) (elemAt list (n - 1));
    in
    go (length list);

  flatten = x: if builtins.isList x then concatMap flatten x else [ x ];
  remove = x: filter (y: y != x);
  subtractLists = drop: filter (x: !elem x drop);
  intersectLists = a: filter (x: elem x a);
  mutuallyExclusive = a: b: !builtins.any (x: elem x a) b;
  # The first of equal elements stays.
  unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
  allUnique = list: length (unique list) == length list;

  count = pred: foldl' (n: x: if pred x then n + 1 else n) 0;
  # The only element for which pred holds: none gives default, several multiple.
  findSingle =
    pred: default: multiple: list:
    let
      found = filter pred list;
    in
    if found == [ ] then
      default
    else if length found == 1 then
      head found
    else
      multiple;
  findFirstIndex =
    pred: default: list:
    let
      end = length list;
      go =
        n:
        if n == end then
          default
        else if pred (elemAt list n) then
          n
        else
          go (n + 1);
    in
    go 0;
  findFirst =
    pred: default: list:
    let
      n = findFirstIndex pred null list;
    in
    if n == null then default else elemAt list n;
  any = builtins.any;
  all = builtins.all;

  last =
    list: if list == [ ] then throw "lib.last: the list is empty" else elemAt list (length list - 1);
  init =
    list: if list == [ ] then throw "lib.init: the list is empty" else take (length list - 1) list;
  sublist =
    start: n: list:
    let
      size = length list;
      left = if start >= size then 0 else size - start;
    in
    genList (i: elemAt list (start + i)) (if n > left then left else n);
  take = sublist 0;
  drop = n: list: sublist n (length list) list;
  takeEnd = n: list: drop (lib.max 0 (length list - n)) list;
  dropEnd = n: list: take (lib.max 0 (length list - n)) list;
  reverseList =
    list:
    let
      size = length list;
    in
    genList (n: elemAt list (size - n - 1)) size;
  hasPrefixList = prefix: list: take (length prefix) list == prefix;

  zipListsWith =
    f: a: b:
    genList (n: f (elemAt a n) (elemAt b n)) (lib.min (length a) (length b));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  crossLists = f: foldl' (fs: args: concatMap (g: map g args) fs) [ f ];
  cartesianProductOfLists = crossLists;

  compareLists =
    cmp: a: b:
    if a == [ ] then
      (if b == [ ] then 0 else -1)
    else if b == [ ] then
      1
    else
      let
        rel = cmp (head a) (head b);
      in
      if rel == 0 then compareLists cmp (tail a) (tail b) else rel;
  sortOn = key: list: map (p: p.x) (builtins.sort (a: b: a.key < b.key) (map (x: { inherit x; key = key x; }) list));
  # Runs of digits compare as numbers.
  naturalSort =
    list:
    let
      number = s: lib.toIntBase10 s;
      key = s: map (x: if builtins.isList x then number (head x) else x) (builtins.split "([0-9]+)" s);
    in
    map (p: p.s) (builtins.sort (a: b: compareLists lib.compare a.key b.key < 0) (map (s: { inherit s; key = key s; }) list));
  groupBy' =
    op: nul: pred: list:
    builtins.mapAttrs (_: foldl' op nul) (builtins.groupBy pred list);
}
