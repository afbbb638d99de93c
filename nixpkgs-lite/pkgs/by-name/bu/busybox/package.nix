# Many small programs in one static file.
{
  lib,
  stdenv,
  fetchurl,
  # Lines for the configuration, over the default ones: "CONFIG_X=n".
  extraConfig ? [ ],
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "busybox";
  version = "1.35.0";

  src = fetchurl {
    urls = [
      "mirror://debian/pool/main/b/busybox/busybox_${finalAttrs.version}.orig.tar.bz2"
      "https://busybox.net/downloads/busybox-${finalAttrs.version}.tar.bz2"
    ];
    sha256 = "faeeb244c35a348a334f4a59e44626ee870fb07b6884d68c10ae8bc19f83a694";
  };

  settings = [
    "CONFIG_STATIC=y"
    "CONFIG_INSTALL_NO_USR=y"
    "CONFIG_INSTALL_APPLET_SYMLINKS=y"
    # Name lookups of a static program would need the very C library at run time.
    "CONFIG_FEATURE_PREFER_APPLETS=n"
    "CONFIG_FEATURE_SH_STANDALONE=n"
  ]
  ++ extraConfig;

  configurePhase = ''
    runHook preConfigure
    make defconfig HOSTCC=gcc CC=gcc > /dev/null
    for setting in $settings; do
      name=''${setting%%=*}
      sed -i -e "/^$name=/d" -e "/^# $name is not set/d" .config
      case $setting in
        *=n) echo "# $name is not set" >> .config ;;
        *) echo "$setting" >> .config ;;
      esac
    done
    yes "" 2>/dev/null | make oldconfig HOSTCC=gcc CC=gcc > /dev/null || [ -e .config ]
    runHook postConfigure
  '';

  makeFlags = [ "HOSTCC=gcc" "CC=gcc" "CONFIG_PREFIX=$(out)" "KCONFIG_NOTIMESTAMP=1" ];
  postInstall = ''
    rm -f $out/linuxrc
    rm -rf $out/default.script
  '';

  passthru.shellPath = "/bin/ash";

  meta = {
    description = "Small versions of many programs in one file";
    homepage = "https://busybox.net";
    license = lib.licenses.gpl2Only;
    platforms = lib.platforms.linux;
    mainProgram = "busybox";
  };
})
