# A static bash: /bin/sh of every build, and the shell that runs the phases.
busybox=$busybox/bin/busybox
$busybox mkdir -p $out/bin
$busybox cp $tree/bin/bash-static $out/bin/bash
$busybox chmod 755 $out/bin/bash
$busybox ln -s bash $out/bin/sh
