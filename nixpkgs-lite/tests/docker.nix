# Cases of how dockerTools and what goes with it take their arguments: evaluates
# to the list of those that fail. Nothing is built.
#
#   nix-instantiate --eval --strict tests/docker.nix      must print [ ]
let
  pkgs = import ../. { system = "x86_64-linux"; };
  inherit (pkgs) dockerTools hello lib mkShell;
  case = expr: expected: { inherit expr expected; };
  same = a: b: case a.drvPath b.drvPath;
  throws = expr: case (builtins.tryEval expr.drvPath).success false;

  one = args: dockerTools.buildImage ({ name = "one"; } // args);
  layered = args: dockerTools.buildLayeredImage ({ name = "layered"; } // args);
  pulled =
    args:
    dockerTools.pullImage (
      {
        imageName = "app";
        imageDigest = "sha256:0";
      }
      // args
    );
  # What the builder is given.
  given = drv: drv.drvAttrs;
  # The same set over one that builds for another architecture.
  over =
    stdenv:
    (import ../overlays/dockertools (pkgs // { inherit stdenv; }) pkgs).dockerTools.buildImage { name = "x"; };
in
lib.debug.runTests {
  # lists in lists, and nothing, are no contents
  contentsNested = same (layered { contents = [ [ hello ] null ]; }) (layered { contents = hello; });
  contentsNull = same (layered { contents = null; }) (layered { });
  copyNull = same (one { copyToRoot = [ null ]; }) (one { });

  # bounds of layers
  layersMany = same (layered { maxLayers = 128; }) (layered { maxLayers = 125; });
  layersFew = throws (layered { maxLayers = 1; });
  layersPipeline = case (given (layered { maxLayers = 1; layeringPipeline = [ ]; })).maxLayers 1;

  # architectures
  variant = case (given (one { architecture = "arm"; variant = "v7"; })).variant "v7";
  variantLayered = case (given (layered { variant = "v8"; })).variant "v8";
  variantNone = case ((given (one { })) ? variant) false;
  variantPulled = case (given (pulled { arch = "arm"; variant = "v7"; hash = lib.fakeHash; })).variant "v7";
  overlayHost =
    case
      (map (name: (given (over {
        buildPlatform.system = "x86_64-linux";
        hostPlatform.go = { GOARCH = "arm"; GOARM = "7"; };
      })).${name}) [ "architecture" "variant" ])
      [ "arm" "v7" ];
  overlayPlain = case (given (over { system = "x86_64-linux"; })).architecture "amd64";

  # overriding, in either order
  overrideAttrs = case (given ((one { }).overrideAttrs (old: { extraCommands = old.extraCommands + "true"; }))).extraCommands "true";
  overrideAttrsSet = same ((one { }).overrideAttrs { imageTag = "1"; }) (one { tag = "1"; });
  overrideAttrsFinal = case ((one { }).overrideAttrs (final: _: { imageTag = final.imageName; })).imageTag "one";
  overrideAttrsPassthru = case ((one { passthru.a = 1; }).overrideAttrs (old: { passthru = old.passthru // { b = 2; }; })).passthru.b 2;
  overrideThenAttrs = same (((layered { }).override { tag = "1"; }).overrideAttrs { extraCommands = "x"; }) (
    ((layered { }).overrideAttrs { extraCommands = "x"; }).override { tag = "1"; }
  );
  overrideTag = case ((one { }).override { tag = "2"; }).imageTag "2";
  overrideOnBase = same ((one { }).overrideAttrs { fromImage = one { }; }) (one { fromImage = one { }; });
  onProgram = throws (one { fromImage = dockerTools.streamLayeredImage { name = "x"; }; });
  merged = case (dockerTools.mergeImages [ (one { }) ] ? overrideAttrs) true;

  # what images tell
  untagged = case (lib.hasInfix (one { }).imageTag "${one { }}") true;
  stream = same (layered { compressor = "zstd"; meta.description = "x"; }).stream (
    dockerTools.streamLayeredImage { name = "layered"; }
  );
  meta = case (layered { meta.description = "x"; }).meta.description "x";
  buildArgs = case (one { tag = "3"; }).buildArgs { name = "one"; tag = "3"; };

  # hashes of what is pulled, however they are called
  hashOutput = same (pulled { outputHash = lib.fakeHash; }) (pulled { hash = lib.fakeHash; });
  hashOutputAlgo = same (pulled { outputHash = lib.fakeSha256; outputHashAlgo = "sha256"; }) (pulled { sha256 = lib.fakeSha256; });
  hashEmpty = same (pulled { hash = ""; }) (pulled { hash = lib.fakeHash; });
  hashNone = throws (pulled { });
  hashTwice = throws (pulled { hash = lib.fakeHash; sha256 = lib.fakeSha256; });

  exportNamed = case (dockerTools.exportImage { fromImage = one { }; }).name (one { }).name;
  exportUnnamed = throws (dockerTools.exportImage { fromImage = ./docker.nix; });

  # environments
  shellInputs = same (mkShell { packages = [ hello ]; }) (mkShell { nativeBuildInputs = [ hello ]; });
  shellFrom = same (mkShell { inputsFrom = [ (mkShell { packages = [ hello ]; }) ]; }) (mkShell { packages = [ hello ]; });
  shellHooks =
    case
      (mkShell {
        shellHook = "last";
        inputsFrom = [ (mkShell { shellHook = "second"; }) (mkShell { shellHook = "first"; }) ];
      }).shellHook
      "first\nsecond\nlast";
}
