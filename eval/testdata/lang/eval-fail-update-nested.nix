# An operand that is an update itself says which of its own operands is wrong.
({ a = 1; } // { b = 1; } // (throw "x")) // { c = 1; }
