// Package explain says why a store path is in an image: an [image.Image] goes
// in, a [Graph] comes out, of the store paths and of what refers to which.
//
// The references are found in the image itself, by looking for the hash parts of
// its store paths in the names, link targets and bytes of its files, as a build
// finds them (package refscan); so they are known for every image, also one that
// was pulled, and no store or derivation is asked. Roots are what is not in the
// store: settings of the configuration, and files elsewhere in the image. The
// tables of a Nix database in the image name every path, and are no roots.
//
// [Graph.Why] gives chains of references, [Graph.Measure] sizes: of a path, of
// its closure, and of all that would leave with it. [Page] is all of that as a
// page for a browser. Sizes are bytes of regular files, unpacked.
package explain
