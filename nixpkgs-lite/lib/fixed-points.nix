# Fixed points and the layers (overlays) put on them. Depends on nothing.
rec {
  # The attribute set that refers to itself through f's argument.
  fix =
    f:
    let
      x = f x;
    in
    x;

  # As fix, and the function stays reachable as __unfix__.
  fix' =
    f:
    let
      x = f x // {
        __unfix__ = f;
      };
    in
    x;

  # Apply f until it changes nothing any more.
  converge =
    f: x:
    let
      y = f x;
    in
    if y == x then x else converge f y;

  # Put one overlay (final: prev: changes) on a self-referring function.
  extends =
    overlay: f: final:
    let
      prev = f final;
    in
    prev // overlay final prev;

  # One overlay that does what the two do in turn.
  composeExtensions =
    first: second: final: prev:
    let
      changed = first final prev;
    in
    changed // second final (prev // changed);

  # One overlay for a list of them, the first innermost.
  composeManyExtensions = builtins.foldl' composeExtensions (_final: _prev: { });

  # An overlay may be written as `final: prev: {…}`, `prev: {…}` or `{…}`.
  toExtension =
    f:
    if builtins.isFunction f then
      final: prev:
      let
        once = f prev;
      in
      if builtins.isFunction once then f final prev else once
    else
      _final: _prev: f;

  # A fixed point that carries the function to put overlays on it.
  makeExtensible = makeExtensibleWithCustomName "extend";

  makeExtensibleWithCustomName =
    name: f:
    fix' (
      self:
      f self
      // {
        ${name} = overlay: makeExtensibleWithCustomName name (extends overlay f);
      }
    );
}
