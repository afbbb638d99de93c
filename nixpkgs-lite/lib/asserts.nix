# Assertions that say what is wrong.
{ lib }:
rec {
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: valid:
    assertMsg (lib.elem value valid) "${name} must be one of ${
      lib.generators.toPretty { multiline = false; } valid
    }, but is ${lib.generators.toPretty { multiline = false; } value}";
  assertEachOneOf =
    name: values: valid:
    lib.all (v: assertOneOf name v valid) values;
}
