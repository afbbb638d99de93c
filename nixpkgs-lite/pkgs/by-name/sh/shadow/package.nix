# useradd, groupadd and the others that keep /etc/passwd and /etc/group.
{
  lib,
  stdenv,
  fetchurl,
  libxcrypt,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "shadow";
  version = "4.13";

  src = fetchurl {
    url = "mirror://debian/pool/main/s/shadow/shadow_${finalAttrs.version}+dfsg1.orig.tar.xz";
    sha256 = "a8bb3a2aceff1cbe39d0f50687dcc1d7e7be0516a9d954d8e2eedb93f5906207";
  };

  # An archive only, so nothing is left of it at run time.
  buildInputs = [ libxcrypt ];

  # Debug information would only be stripped again.
  env.CFLAGS = "-O2";

  dontDisableStatic = true;
  configureFlags = [
    "--without-libpam"
    "--without-selinux"
    "--without-audit"
    "--without-acl"
    "--without-attr"
    "--without-tcb"
    "--without-su"
    "--without-btrfs"
    "--without-nscd"
    "--without-sssd"
    "--without-libcrack"
    "--disable-nls"
    "--disable-man"
    "--disable-subordinate-ids"
    "--disable-shared"
    "--sysconfdir=/etc"
  ];

  # login and newgrp would start the shell of the build.
  postConfigure = ''
    sed -i 's|^#define SHELL .*|#define SHELL "/bin/sh"|' config.h
  '';

  # Nothing outside of the output is written, and no file is made setuid.
  installFlags = [ "suidperms=0755" "suidbins=" "suidubins=" "sysconfdir=$(out)/etc" ];
  postInstall = ''
    rm -rf $out/share $out/etc/pam.d $out/lib
    if [ -d $out/sbin ]; then
      mv $out/sbin/* $out/bin/
      rmdir $out/sbin
      ln -s bin $out/sbin
    fi
  '';

  meta = {
    description = "Programs for the accounts of users and groups";
    homepage = "https://github.com/shadow-maint/shadow";
    license = lib.licenses.bsd3;
    platforms = lib.platforms.linux;
  };
})
