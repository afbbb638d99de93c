[ scopedName true (map (x: x + scopedName) [ 1 ]) ]
