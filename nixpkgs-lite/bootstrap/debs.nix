# Binary packages of Debian 12 (bookworm, component main), pinned.
#
# Only `pool/main`, never the pool of security updates: what the release itself
# lists stays where it is. The sum decides which bytes are taken, not the mirror.
{
  bash = {
    version = "5.2.15-2+b13";
    path = "pool/main/b/bash/bash_5.2.15-2+b13_amd64.deb";
    sha256 = "82130bb6a560cd2a7234d8018baf73f188f5dd56413d5aa0accc987b2197a6a1";
  };
  bash-static = {
    version = "5.2.15-2+b13";
    path = "pool/main/b/bash/bash-static_5.2.15-2+b13_amd64.deb";
    sha256 = "f62e37fc6c2c14417f270323066b4c621db5dc151a26f7a1f58e3fc24111d1c8";
  };
  binutils = {
    version = "2.40-2";
    path = "pool/main/b/binutils/binutils_2.40-2_amd64.deb";
    sha256 = "83c3e20b53e1fbd84d764c3ba27d26a0376e361ae5d7fb37120196934dd87424";
  };
  binutils-common = {
    version = "2.40-2";
    path = "pool/main/b/binutils/binutils-common_2.40-2_amd64.deb";
    sha256 = "ab314134f43a0891a48f69a9bc33d825da748fa5e0ba2bebb7a5c491b026f1a0";
  };
  binutils-x86-64-linux-gnu = {
    version = "2.40-2";
    path = "pool/main/b/binutils/binutils-x86-64-linux-gnu_2.40-2_amd64.deb";
    sha256 = "2d7ea8a570d768224d7f2424abbe6f373d2154865a1fa7f56c80d43ecf492521";
  };
  busybox-static = {
    version = "1:1.35.0-4+deb12u1+b1";
    path = "pool/main/b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb";
    sha256 = "3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744";
  };
  bzip2 = {
    version = "1.0.8-5+b1";
    path = "pool/main/b/bzip2/bzip2_1.0.8-5+b1_amd64.deb";
    sha256 = "438871b3f5c5c7a357a9840951dab9dab8db7eb1ff760a563226fafa111b99e5";
  };
  ca-certificates = {
    version = "20230311+deb12u1";
    path = "pool/main/c/ca-certificates/ca-certificates_20230311+deb12u1_all.deb";
    sha256 = "0d5f444f594e48c1e16a41d8fc628a09b24c658916a1274025c2330f2a802bed";
  };
  coreutils = {
    version = "9.1-1";
    path = "pool/main/c/coreutils/coreutils_9.1-1_amd64.deb";
    sha256 = "61038f857e346e8500adf53a2a0a20859f4d3a3b51570cc876b153a2d51a3091";
  };
  cpp-12 = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/cpp-12_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "fedbb98e877adde83c983c6071537ea25ac52b277ac6e4637d85025949ca1454";
  };
  diffutils = {
    version = "1:3.8-4";
    path = "pool/main/d/diffutils/diffutils_3.8-4_amd64.deb";
    sha256 = "8bdfedc14c1035e3750e9f055ac9c1ecd9b5d05d9e6dc6466c4e9237eef407dd";
  };
  findutils = {
    version = "4.9.0-4";
    path = "pool/main/f/findutils/findutils_4.9.0-4_amd64.deb";
    sha256 = "5dd86bd0af4aa73f067dfd6b8339dd868f2dd84056aa79db29d1206d4fbc5e04";
  };
  "g++-12" = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/g++-12_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "68b182badae4ace7d472f1393c559d3532a95a2d70817498b10bb481d2627251";
  };
  gawk = {
    version = "1:5.2.1-2";
    path = "pool/main/g/gawk/gawk_5.2.1-2_amd64.deb";
    sha256 = "9cd63c1b35ff082092c221a23dcb167f72c4d1c3de3a42e11f16181f42ab3b55";
  };
  gcc-12 = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/gcc-12_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "b46f33cc2ec245e435e043807038cecf4b201ef004800e9dfc1455240360e49d";
  };
  gosu = {
    version = "1.14-1+b10";
    path = "pool/main/g/gosu/gosu_1.14-1+b10_amd64.deb";
    sha256 = "c40cf280a915661337881a8665209285e9c557e21b35e3c8ab588f12f9860c42";
  };
  grep = {
    version = "3.8-5";
    path = "pool/main/g/grep/grep_3.8-5_amd64.deb";
    sha256 = "3264acea728df3c48a54f20e9291b965130e306b9d00adac76647049da7196df";
  };
  gzip = {
    version = "1.12-1";
    path = "pool/main/g/gzip/gzip_1.12-1_amd64.deb";
    sha256 = "eabec1dde2834f72540d7b93fc5df2625f52611c06d93d61f5cdb12480e0e6a3";
  };
  libacl1 = {
    version = "2.3.1-3";
    path = "pool/main/a/acl/libacl1_2.3.1-3_amd64.deb";
    sha256 = "8be9df5795114bfe90e2be3d208ef47a5edd3fc7b3e20d387a597486d444e5e2";
  };
  libatomic1 = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libatomic1_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "fbd4e154a6b444229ea002cc209df099209c0adc09102e5fd21239a3d2b55e2d";
  };
  libattr1 = {
    version = "1:2.5.1-4";
    path = "pool/main/a/attr/libattr1_2.5.1-4_amd64.deb";
    sha256 = "c4945123d66d0503ba42e2fc0585abc76d0838978c6d277b9cc37a4da25d1a34";
  };
  libbinutils = {
    version = "2.40-2";
    path = "pool/main/b/binutils/libbinutils_2.40-2_amd64.deb";
    sha256 = "fcf55b99e5f8a78f3c8ce9b6957f1024f394cf20c196b100d308a57e43547710";
  };
  "libbz2-1.0" = {
    version = "1.0.8-5+b1";
    path = "pool/main/b/bzip2/libbz2-1.0_1.0.8-5+b1_amd64.deb";
    sha256 = "54149da3f44b22d523b26b692033b84503d822cc5122fed606ea69cc83ca5aeb";
  };
  libc-bin = {
    version = "2.36-9+deb12u14";
    path = "pool/main/g/glibc/libc-bin_2.36-9+deb12u14_amd64.deb";
    sha256 = "e667401af91fad95f15b3ebd25d1abd8373fd18b00dc32219678413170544e84";
  };
  libc6 = {
    version = "2.36-9+deb12u14";
    path = "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb";
    sha256 = "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf";
  };
  libc6-dev = {
    version = "2.36-9+deb12u14";
    path = "pool/main/g/glibc/libc6-dev_2.36-9+deb12u14_amd64.deb";
    sha256 = "0218fc2befcd784c1b0c6292c0a137ce89fad054efaa579ad083bee0f2c01aae";
  };
  libcrypt-dev = {
    version = "1:4.4.33-2";
    path = "pool/main/libx/libxcrypt/libcrypt-dev_4.4.33-2_amd64.deb";
    sha256 = "81ccd29130f75a9e3adabc80e61921abff42f76761e1f792fa2d1bb69af7f52f";
  };
  libctf-nobfd0 = {
    version = "2.40-2";
    path = "pool/main/b/binutils/libctf-nobfd0_2.40-2_amd64.deb";
    sha256 = "ef1dfcf22de41ea90ebd3d505447ccccd999e96b85aa777a1d7d981dc3b347aa";
  };
  libctf0 = {
    version = "2.40-2";
    path = "pool/main/b/binutils/libctf0_2.40-2_amd64.deb";
    sha256 = "3fb7b6f326be3fae4a87a3d33b9269bd06c1e4346a24bd737f265067e3b7427f";
  };
  libgcc-12-dev = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libgcc-12-dev_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "d720259380a84f2ffc6fe516eff5cbe9c8a005138e8d6a5748747ba4b3404a82";
  };
  libgcc-s1 = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libgcc-s1_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7";
  };
  libgmp10 = {
    version = "2:6.2.1+dfsg1-1.1";
    path = "pool/main/g/gmp/libgmp10_6.2.1+dfsg1-1.1_amd64.deb";
    sha256 = "187aedef2ed763f425c1e523753b9719677633c7eede660401739e9c893482bd";
  };
  libgomp1 = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libgomp1_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "48fec46bda7f5b1638b9e959889bfbc20491247d402d120bb152687eb48143d7";
  };
  libisl23 = {
    version = "0.25-1.1";
    path = "pool/main/i/isl/libisl23_0.25-1.1_amd64.deb";
    sha256 = "ebff0b2f8b220c74224197523019366e97ee4770d464bebc48e4865114e4da0e";
  };
  libjansson4 = {
    version = "2.14-2";
    path = "pool/main/j/jansson/libjansson4_2.14-2_amd64.deb";
    sha256 = "3fc9742f9f1a37bcb9931df6074b4d1483419ef832ad5349f47323e75fc27864";
  };
  liblzma5 = {
    version = "5.4.1-1+deb12u1";
    path = "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_amd64.deb";
    sha256 = "f96d8876b53ec89d76a992bc199679b818cf518225a768954d9451fb556a4eb7";
  };
  libmpc3 = {
    version = "1.3.1-1";
    path = "pool/main/m/mpclib3/libmpc3_1.3.1-1_amd64.deb";
    sha256 = "d7f79544790e44f9b0c8cb9034a18c58d37f8702a15f32539050718679e52f80";
  };
  libmpfr6 = {
    version = "4.2.0-1";
    path = "pool/main/m/mpfr4/libmpfr6_4.2.0-1_amd64.deb";
    sha256 = "37b7a2b4e78890b6a074777f27b96c84f58e81558ba08410c2b6c0ca4a4ad77b";
  };
  libpcre2-8-0 = {
    version = "10.42-1";
    path = "pool/main/p/pcre2/libpcre2-8-0_10.42-1_amd64.deb";
    sha256 = "030db54f4d76cdfe2bf0e8eb5f9efea0233ab3c7aa942d672c7b63b52dbaf935";
  };
  libreadline8 = {
    version = "8.2-1.3";
    path = "pool/main/r/readline/libreadline8_8.2-1.3_amd64.deb";
    sha256 = "e02ebbd3701cf468dbf98d6d917fbe0325e881f07fe8b316150c8d2a64486e66";
  };
  libselinux1 = {
    version = "3.4-1+b6";
    path = "pool/main/libs/libselinux/libselinux1_3.4-1+b6_amd64.deb";
    sha256 = "2b07f5287b9105f40158b56e4d70cc1652dac56a408f3507b4ab3d061eed425f";
  };
  libsigsegv2 = {
    version = "2.14-1";
    path = "pool/main/libs/libsigsegv/libsigsegv2_2.14-1_amd64.deb";
    sha256 = "92336a5c47989b82ba4c778adc0ea22fc84450773f2d8428fca4448b0789cfe6";
  };
  "libstdc++-12-dev" = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libstdc++-12-dev_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "d28def6c23630432b57cb38a4c2fd67a79d4e0484027386ca6e8d6005c3d7a73";
  };
  "libstdc++6" = {
    version = "12.2.0-14+deb12u1";
    path = "pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_amd64.deb";
    sha256 = "5cd3171216d4ab0fc911cfe9c35509bf2dd8f47761c43b7f6a4296701551a24d";
  };
  libtinfo6 = {
    version = "6.4-4";
    path = "pool/main/n/ncurses/libtinfo6_6.4-4_amd64.deb";
    sha256 = "072d908f38f51090ca28ca5afa3b46b2957dc61fe35094c0b851426859a49a51";
  };
  libzstd1 = {
    version = "1.5.4+dfsg2-5";
    path = "pool/main/libz/libzstd/libzstd1_1.5.4+dfsg2-5_amd64.deb";
    sha256 = "6315b5ac38b724a710fb96bf1042019398cb656718b1522279a5185ed39318fa";
  };
  linux-libc-dev = {
    version = "6.1.176-1";
    path = "pool/main/l/linux/linux-libc-dev_6.1.176-1_amd64.deb";
    sha256 = "8bb258735b9dffbb111da778ebdd024750878e435ffd9dfcadcb6762ede6b4cf";
  };
  make = {
    version = "4.3-4.1";
    path = "pool/main/m/make-dfsg/make_4.3-4.1_amd64.deb";
    sha256 = "a1a83af8cbd854af887b72ad196b1f4af58387815e21ced1000253a116a46e2a";
  };
  musl-dev = {
    version = "1.2.3-1";
    path = "pool/main/m/musl/musl-dev_1.2.3-1_amd64.deb";
    sha256 = "7c34f29a0c1aa12f6da1d25ed6de6fe6bbd9e048ee76b3dcb88c5e51fb65507f";
  };
  patch = {
    version = "2.7.6-7";
    path = "pool/main/p/patch/patch_2.7.6-7_amd64.deb";
    sha256 = "8c6d49b771530dbe26d7bd060582dc7d2b4eeb603a20789debc1ef4bbbc4ef67";
  };
  patchelf = {
    version = "0.14.3-1+b1";
    path = "pool/main/p/patchelf/patchelf_0.14.3-1+b1_amd64.deb";
    sha256 = "0364b90e81faabbb9569076063952c7bcbf07f83d954a2f2602a163d65be60e6";
  };
  sed = {
    version = "4.9-1+deb12u1";
    path = "pool/main/s/sed/sed_4.9-1+deb12u1_amd64.deb";
    sha256 = "fd557efeee8aae4619c2cb7f68aadccb804322ad4a99ab048aaae5901d253885";
  };
  tar = {
    version = "1.34+dfsg-1.2+deb12u1";
    path = "pool/main/t/tar/tar_1.34+dfsg-1.2+deb12u1_amd64.deb";
    sha256 = "24fb92e98c2969171f81a8b589263d705f6b1670f95d121cd74c810d4605acc3";
  };
  tzdata = {
    version = "2026b-0+deb12u1";
    path = "pool/main/t/tzdata/tzdata_2026b-0+deb12u1_all.deb";
    sha256 = "0edb49f4dffe0d5608069f7e4ba4d69544d3b9e86fc314dd8b75e9958d8e5e98";
  };
  xz-utils = {
    version = "5.4.1-1+deb12u1";
    path = "pool/main/x/xz-utils/xz-utils_5.4.1-1+deb12u1_amd64.deb";
    sha256 = "cc6dc501e0c06be3f89e9a7f8dfd7a97f92aadfd9daa60fad19b90d6a5558b80";
  };
  zlib1g = {
    version = "1:1.2.13.dfsg-1";
    path = "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb";
    sha256 = "d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4";
  };
}
