// Package git reads git repositories: a folder or an address goes in, the tree
// of a commit or the tracked files of a work tree come out, as file systems
// that can be archived, with what is known of the commit.
//
// No git program is needed; go-git reads objects and speaks the protocols. A
// repository on this machine is read where it lies and never written. One
// elsewhere is kept in a [Mirror]. What a tree holds follows Nix's git-utils.cc
// and git.cc: of a work tree the tracked files as they are now, of a commit its
// tree with empty folders for submodules, both without what gitattributes mark
// export-ignore if that is asked.
package git
