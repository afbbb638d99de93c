# One program under a hundred names, as links.
{
  lib,
  stdenv,
  fetchurl,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "coreutils";
  version = "9.1";

  src = fetchurl {
    urls = [
      "mirror://debian/pool/main/c/coreutils/coreutils_${finalAttrs.version}.orig.tar.xz"
      "mirror://gnu/coreutils/coreutils-${finalAttrs.version}.tar.xz"
    ];
    sha256 = "61a1f410d78ba7e7f37a5a4f50e6d1320aca33375484a3255eddf17a38580423";
  };

  # Debug information would only be stripped again.
  env.CFLAGS = "-O2";

  configureFlags = [
    "--enable-single-binary=symlinks"
    "--enable-no-install-program=stdbuf"
    "--disable-nls"
    "--without-openssl"
    "--without-selinux"
    "--disable-acl"
    "--disable-xattr"
    "--without-libgmp"
  ];
  # Without translations and tests; the manuals are made by a program in Perl.
  makeFlags = [ "SUBDIRS=." "MAKEINFO=true" "man1_MANS=" ];

  postInstall = ''
    rm -rf $out/share $out/libexec
  '';

  meta = {
    description = "Basic file, shell and text programs of the GNU project";
    homepage = "https://www.gnu.org/software/coreutils/";
    license = lib.licenses.gpl3Plus;
    platforms = lib.platforms.linux;
  };
})
