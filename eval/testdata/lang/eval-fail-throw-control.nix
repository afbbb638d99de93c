# Tabulators are spread, what would move the cursor or change colours is left out.
throw "a\tb\rc ${builtins.fromJSON ''"\u001b[31mred\u001b[0m\u0007"''}\n日\t|"
