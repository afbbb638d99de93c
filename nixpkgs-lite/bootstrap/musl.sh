# musl with its headers and those of the kernel: for static programs only.
mkdir -p $out/lib $out/bin
cp -R $tree/usr/include/x86_64-linux-musl $out/include
chmod -R u+w $out/include
cp $tree/usr/lib/x86_64-linux-musl/*.o $tree/usr/lib/x86_64-linux-musl/*.a $out/lib/
for dir in linux asm-generic mtd; do
    cp -R $tree/usr/include/$dir $out/include/
done
cp -R $tree/usr/include/x86_64-linux-gnu/asm $out/include/asm
cat > $out/lib/musl-gcc.specs <<X
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem $out/include -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem $out/include -isystem include%s

*link_libgcc:
-L$out/lib -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
$out/lib/crt1.o $out/lib/crti.o crtbeginT.o%s

*endfile:
crtend.o%s $out/lib/crtn.o

*link:
-nostdlib -static

*esp_link:


*esp_options:


*esp_cpp_options:


X
cat > $out/bin/gcc <<X
#!$shell/bin/bash
export PATH=$tools/bin:\$PATH
exec $tools/bin/gcc -fno-pie -no-pie -static "\$@" -specs $out/lib/musl-gcc.specs
X
chmod 755 $out/bin/gcc
ln -s gcc $out/bin/cc
ln -s gcc $out/bin/musl-gcc
for program in ar as nm objcopy objdump ranlib readelf size strings strip ld; do
    ln -s $tools/bin/$program $out/bin/$program
done
