# A revision of a repository at GitHub, as the archive that it offers of it.
{ lib, fetchzip }:
lib.makeOverridable (
  {
    owner,
    repo,
    rev ? tag,
    tag ? throw "fetchFromGitHub: give rev or tag",
    name ? "source",
    githubBase ? "github.com",
    ...
  }@args:
  fetchzip (
    removeAttrs args [ "owner" "repo" "rev" "tag" "githubBase" ]
    // {
      inherit name;
      url = "https://${githubBase}/${owner}/${repo}/archive/${rev}.tar.gz";
      passthru = { inherit owner repo rev; } // args.passthru or { };
    }
  )
)
