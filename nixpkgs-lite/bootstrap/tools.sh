# Every program of a build but the C library: moved from Debian's layout to
# bin/ and lib/ of one path, with loader and library folders set.
mkdir -p bin
$busybox/bin/busybox --install -s bin
export PATH=$PWD/bin

mkdir -p $out/bin $out/lib $out/share
for dir in bin sbin usr/bin usr/sbin; do
    if [ -d $tree/$dir ]; then
        cp -a $tree/$dir/. $out/bin/
        chmod u+w $out/bin
    fi
done
for dir in lib usr/lib; do
    if [ -d $tree/$dir/x86_64-linux-gnu ]; then
        cp -a $tree/$dir/x86_64-linux-gnu/. $out/lib/
        chmod u+w $out/lib
    fi
done
cp -a $tree/usr/lib/gcc $out/lib/gcc
cp -a $tree/usr/share/awk $out/share/awk
chmod -R u+w $out

compiler=$out/lib/gcc/x86_64-linux-gnu/$gccVersion

# Profilers, sanitizers, plugins, debuggers of the compiler itself.
rm -rf $out/bin/*lto-dump* $out/bin/*gp-* $out/bin/*gprofng* $out/bin/*gcov* $out/bin/*dwp* \
    $out/lib/gprofng $out/lib/libgprofng* $out/lib/libcc1* $out/lib/bfd-plugins $out/lib/pkgconfig \
    $compiler/plugin $compiler/libcc1* $compiler/lib*san* $out/bin/bashbug $out/bin/c89* $out/bin/c99*

# Links that Debian makes when it installs a package.
cd $out/bin
[ -e awk ] || ln -s gawk awk
ln -sf bash sh
for program in gcc cpp gcc-ar gcc-nm gcc-ranlib; do
    ln -sf $program-$gccVersion $program
done

# Links that lead out of the tree: to the same name inside, or away with them.
find $out -type l | while read -r link; do
    target=$(readlink $link)
    case $target in
    /nix/store/*) ;;
    /*)
        name=${target##*/}
        if [ -e $out/lib/$name ]; then
            ln -sf $out/lib/$name $link
        elif [ -e $out/bin/$name ]; then
            ln -sf $out/bin/$name $link
        else
            rm $link
        fi
        ;;
    esac
done

# Libraries that programs link with and need at run time are not taken from
# here, but from the path that has only them.
for link in $compiler/*.so; do
    [ -L $link ] || continue
    name=$(basename $(readlink $link))
    case $name in libstdc++.so.6*) name=libstdc++.so.6 ;; esac
    if [ -e $gccLib/lib/$name ]; then
        ln -sf $gccLib/lib/$name $link
    elif [ ! -e $link ]; then
        rm $link
    fi
done

# Loader and library folders of every ELF file. patchelf is copied aside, as it
# is among the files that it changes.
loader=$glibc/lib/ld-linux-x86-64.so.2
cp patchelf $NIX_BUILD_TOP/patchelf
patchelf() {
    $loader --library-path $glibc/lib:$gccLib/lib $NIX_BUILD_TOP/patchelf "$@"
}
magic=$(printf '\177ELF')
count=0
for file in $(find $out -type f \( -perm -0100 -o -name '*.so*' \) ! -name '*.o' ! -name '*.a'); do
    [ "$(head -c 4 $file)" = "$magic" ] || continue
    if patchelf --print-interpreter $file >/dev/null 2>&1; then
        patchelf --set-interpreter $loader --set-rpath $out/lib:$glibc/lib $file
    else
        patchelf --set-rpath $out/lib:$glibc/lib $file
    fi
    count=$((count + 1))
done
echo "relocated $count files"

# Scripts: to an interpreter of this path, or away with them.
for file in $out/bin/*; do
    [ ! -L $file ] && [ "$(head -c 2 $file)" = '#!' ] || continue
    line=$(head -n 1 $file)
    line=${line#\#!}
    interpreter=$(basename ${line%% -*})
    if [ -x $out/bin/$interpreter ]; then
        sed -i "1s|.*|#!$shell/bin/bash|" $file
    else
        echo "no $interpreter for $file: removed"
        rm $file
    fi
done

for program in bash gcc ld make; do
    $out/bin/$program --version | head -n 1
done
