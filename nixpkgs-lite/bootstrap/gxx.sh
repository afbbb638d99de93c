# The C++ front end. A driver looks for its helpers beside itself, so those of
# the C compiler are linked here.
here=lib/gcc/x86_64-linux-gnu/$gccVersion
mkdir -p $out/bin $out/$here $out/include/x86_64-linux-gnu
cp -a $tree/usr/$here/. $out/$here/
chmod u+w $out/$here
for file in $tools/$here/*; do
    [ -e $out/$here/${file##*/} ] || ln -s $file $out/$here/
done
cp -a $tree/usr/bin/x86_64-linux-gnu-g++-$gccVersion $out/bin/
ln -s x86_64-linux-gnu-g++-$gccVersion $out/bin/g++
cp -a $tree/usr/include/c++ $out/include/
cp -a $tree/usr/include/x86_64-linux-gnu/c++ $out/include/x86_64-linux-gnu/
chmod -R u+w $out
ln -sf $gccLib/lib/libstdc++.so.6 $out/$here/libstdc++.so
for file in $out/bin/x86_64-linux-gnu-g++-$gccVersion $out/$here/cc1plus; do
    patchelf --set-interpreter $glibc/lib/ld-linux-x86-64.so.2 --set-rpath $tools/lib:$glibc/lib $file
done
find $out -xtype l -delete
$out/bin/g++ --version | head -n 1
