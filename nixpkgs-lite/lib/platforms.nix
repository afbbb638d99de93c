# Systems by kind, for meta.platforms.
rec {
  linux = [ "x86_64-linux" "aarch64-linux" "i686-linux" "armv7l-linux" "riscv64-linux" ];
  darwin = [ "x86_64-darwin" "aarch64-darwin" ];
  x86_64 = [ "x86_64-linux" "x86_64-darwin" ];
  unix = linux ++ darwin;
  gnu = linux;
  all = unix;
  none = [ ];
}
