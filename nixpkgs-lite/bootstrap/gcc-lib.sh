# Libraries of the compiler that a program may need at run time.
mkdir -p bin
$busybox/bin/busybox --install -s bin
export PATH=$PWD/bin

debian=$tree/usr/lib/x86_64-linux-gnu:$tree/lib/x86_64-linux-gnu
mkdir -p $out/lib
for lib in libstdc++.so.6 libgcc_s.so.1 libgomp.so.1 libatomic.so.1; do
    for dir in usr/lib lib; do
        if [ -e $tree/$dir/x86_64-linux-gnu/$lib ]; then
            cp -L $tree/$dir/x86_64-linux-gnu/$lib $out/lib/$lib
        fi
    done
    chmod 755 $out/lib/$lib
    $glibc/lib/ld-linux-x86-64.so.2 --library-path $glibc/lib:$debian \
        $tree/usr/bin/patchelf --set-rpath $out/lib:$glibc/lib $out/lib/$lib
done
