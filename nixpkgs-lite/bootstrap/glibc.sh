# The C library: run-time files into $out, headers and link-time files into $dev.
mkdir -p bin
$busybox/bin/busybox --install -s bin
export PATH=$PWD/bin

run=$tree/lib/x86_64-linux-gnu
link=$tree/usr/lib/x86_64-linux-gnu
loader=ld-linux-x86-64.so.2

# Run time. The name services `files` and `dns` are inside libc.so.6 itself;
# libgcc_s.so.1 is opened by name from there (pthread_cancel, backtrace).
mkdir -p $out/lib
for lib in $loader libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 \
    libutil.so.1 libresolv.so.2 libanl.so.1 libgcc_s.so.1; do
    cp $run/$lib $out/lib/$lib
done
chmod 755 $out/lib/*
ln -s lib $out/lib64

# This loader still looks in Debian's folders: every library has to say itself
# where its neighbours are. patchelf needs a loader named explicitly, as its own
# is not where it expects it.
patchelf() {
    $run/$loader --library-path $run:$link $tree/usr/bin/patchelf "$@"
}
for lib in $out/lib/*.so.*; do
    case $lib in */ld-linux*) ;; *) patchelf --set-rpath $out/lib $lib ;; esac
done

# Link time.
mkdir -p $dev/lib $dev/include
cp -R $tree/usr/include/. $dev/include/
chmod -R u+w $dev/include
cp -R $dev/include/x86_64-linux-gnu/. $dev/include/
rm -rf $dev/include/x86_64-linux-gnu
cp $link/*.o $link/*.a $dev/lib/
chmod u+w $dev/lib/*
ln -s $out/lib/libanl.so.1 $dev/lib/libanl.so
ln -s $out/lib/libresolv.so.2 $dev/lib/libresolv.so
cat > $dev/lib/libc.so <<X
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( $out/lib/libc.so.6 $dev/lib/libc_nonshared.a AS_NEEDED ( $out/lib/$loader ) )
X
# The vector functions are taken from the archive: their library would be a
# megabyte more at run time for everybody.
cat > $dev/lib/libm.so <<X
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( $out/lib/libm.so.6 $dev/lib/libmvec.a )
X
cat > $dev/lib/libm.a <<X
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( $dev/lib/libm-2.36.a $dev/lib/libmvec.a )
X
