{
  found = import <lib/value.nix>;
  whole = builtins.typeOf <lib>;
  missing = (builtins.tryEval <nowhere/x>).success;
  custom = let __nixPath = [ { prefix = "q"; path = ./lib; } ]; in import <q/value.nix>;
  function = let __findFile = path: name: "looked for ${name}"; in <some/thing>;
}
