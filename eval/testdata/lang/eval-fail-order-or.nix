# The name or is known before all others of the program.
{ a = throw "a"; or = throw "or"; }
