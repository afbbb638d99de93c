# crypt(3) as an archive and a header.
busybox=$busybox/bin/busybox
$busybox mkdir -p $out/lib $out/include
$busybox cp $tree/usr/lib/x86_64-linux-gnu/libcrypt.a $out/lib/
$busybox cp $tree/usr/include/crypt.h $out/include/
