# The server alone, as one static file that needs nothing beside it.
{
  redis,
  stdenvMusl,
}:
(redis.override { stdenv = stdenvMusl; }).overrideAttrs (prev: {
  postPatch = prev.postPatch + ''
    # Before 3.0 any Linux was taken to have backtrace(3).
    sed -i '/^#if defined(__APPLE__) || defined(__linux__)$/{N;s/.*\n#define HAVE_BACKTRACE 1/#ifdef __GLIBC__\n#define HAVE_BACKTRACE 1/}' src/config.h

    # Its own flags come last, so that they win over the ones of the Makefile.
    cat > ../cc <<'X'
    #!/bin/sh
    set -- "$@" -Os -g0 -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
      -fno-unwind-tables -fno-ident -fno-stack-protector -fmerge-all-constants \
      -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,noseparate-code \
      -Wl,--hash-style=gnu
    kept=
    for flag; do
      shift
      case $flag in -O[0-9] | -O | -g | -ggdb | -g3 | -rdynamic) ;; *) set -- "$@" "$flag" ;; esac
    done
    exec gcc "$@"
    X
    chmod +x ../cc
  '';
  makeFlags = [
    "CC=$(NIX_BUILD_TOP)/cc"
    "MALLOC=libc"
    "USE_SYSTEMD=no"
    "BUILD_TLS=no"
    "OPTIMIZATION=-Os"
    "DEBUG="
  ];
  preBuild = ''
    makeFlagsArray+=(-C src)
  '';
  buildFlags = [ "redis-server" ];
  installPhase = ''
    install -D src/redis-server $out/bin/redis-server
  '';
  stripAllFlags = "--strip-all -R .note.gnu.property -R .eh_frame -R .eh_frame_hdr";
  meta = prev.meta // {
    mainProgram = "redis-server";
  };
})
