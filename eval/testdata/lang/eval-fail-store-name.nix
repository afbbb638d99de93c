# The message has the byte, not half of a character.
builtins.toFile "é" ""
