# Programs of the C library: getent, iconv, locale, ldconfig …
mkdir -p $out/bin
for program in getconf getent iconv locale localedef; do
    cp $tree/usr/bin/$program $out/bin/
    chmod u+w $out/bin/$program
    patchelf --set-interpreter $glibc/lib/ld-linux-x86-64.so.2 --set-rpath $glibc/lib $out/bin/$program
done
cp $tree/sbin/ldconfig $out/bin/
