// Package tree brings what references name into the store: an input of package
// flakeref goes in; the store object, and the input with all that is known of
// it, come out.
//
// What was fetched from elsewhere is remembered in a folder of the user's
// cache, so that it is asked for again only when it has become old. Follows
// Nix's libfetchers: Input::getAccessor and the schemes in path.cc, tarball.cc,
// github.cc and git.cc.
package tree
