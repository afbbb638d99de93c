# The element that is wrong is called without a place.
builtins.filter ({ a, ... }: true) [ { b = 1; } ]
