# The compiler as packages see it: it finds headers, start files and libraries
# of the C library in their store paths, and its programs find theirs.
mkdir -p $out/bin $out/sysroot

# Where libstdc++ is found by that name; nowhere else for C alone.
cxxLib=$dev/lib
if [ -n "$gxx" ]; then
    cxxLib=$gxx/lib/gcc/x86_64-linux-gnu/$gccVersion
fi

fill() {
    sed -e "s|@shell@|$shell/bin/bash|g" -e "s|@out@|$out|g" -e "s|@tools@|$tools|g" \
        -e "s|@glibc@|$glibc|g" -e "s|@dev@|$dev|g" -e "s|@gccLib@|$gccLib|g" \
        -e "s|@cxxLib@|$cxxLib|g" -e "s|@real@|$2|g" "$1" > "$3"
    chmod 755 "$3"
}

fill $ldWrapper $tools/bin/ld.bfd $out/bin/ld
for program in gcc cpp; do
    fill $driver $tools/bin/$program $out/bin/$program
done
ln -s gcc $out/bin/cc
if [ -n "$gxx" ]; then
    fill $driver $gxx/bin/g++ $out/bin/g++
    ln -s g++ $out/bin/c++
fi
for program in ar as nm objcopy objdump ranlib readelf size strings strip addr2line \
    gcc-ar gcc-nm gcc-ranlib; do
    ln -s $tools/bin/$program $out/bin/$program
done

# Try it: a program that needs the loader, a library and libgcc_s.so.1.
cat > try.c <<X
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *wait_forever(void *unused) { for (;;) pause(); }
int main(int argc, char **argv) {
    pthread_t thread;
    if (pthread_create(&thread, 0, wait_forever, 0) || pthread_cancel(thread) || pthread_join(thread, 0)) return 1;
    printf("%s %f\n", argv[0], sin(argc));
    return 0;
}
X
$out/bin/gcc -O2 try.c -o try-dynamic -lm && ./try-dynamic
$out/bin/gcc -O2 -static try.c -o try-static -lm && ./try-static
if [ -n "$gxx" ]; then
    cat > try.cc <<X
#include <iostream>
#include <stdexcept>
int main() { try { throw std::runtime_error("caught"); } catch (const std::exception &e) { std::cout << e.what() << std::endl; } }
X
    $out/bin/g++ -O2 try.cc -o try-cxx && ./try-cxx
    $out/bin/g++ -O2 -c try.cc -o try.o && $out/bin/gcc try.o -o try-linked -lstdc++ && ./try-linked
fi
