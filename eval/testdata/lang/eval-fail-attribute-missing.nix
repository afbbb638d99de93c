let set = { first = { second = 1; }; }; in set.first.secnd
